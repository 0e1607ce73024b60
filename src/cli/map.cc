#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cli/flags.h"
#include "cli/map_json.h"
#include "cli/map_svg.h"
#include "cli/map_text.h"
#include "cli/recovered_store.h"
#include "cli/system.h"
#include "engine/audit/id_facts.h"
#include "store/containers.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

constexpr std::string_view kDescription =
    "Draws the host's ID space: its users and groups, the ranges of /etc/subuid and /etc/subgid, user\n"
    "namespaces that berth did not make, berth's banks with their owners, banks that rest, and beside it "
    "each\n"
    "container's own space, with lines from where its IDs come from. A \"!\" marks IDs that two have at "
    "once;\n"
    "`berth audit` says more.\n\n"
    "The text is as wide as the terminal, else as $COLUMNS says, else 100 columns; below 72 the containers "
    "stand\n"
    "in the host's column. It has colours on a terminal unless $NO_COLOR is set.";

struct MapFlags {
  MapChoice choice;
  std::string format = "text";
  std::string output;
};

// Of the terminal, or of what COLUMNS says.
size_t width_of_output() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  constexpr size_t kLeast = 40;
  constexpr size_t kMost = 1000;
  size_t width = TextStyle{}.width;
  if (const char* columns = ::getenv("COLUMNS")) {
    std::from_chars(columns, columns + std::strlen(columns), width);
  }
  return std::clamp(width, kLeast, kMost);
}

Result<> check_project(const engine::IdFacts& facts, const std::string& wanted) {
  std::vector<std::string_view> names;
  for (const engine::ProjectFacts& project : facts.projects) names.push_back(project.name);
  if (std::ranges::find(names, wanted) != names.end()) return {};
  Error error{Code::not_found, 0, fmt::format("there is no project \"{}\"", wanted), {}};
  if (const std::string_view near = nearest(wanted, names); !near.empty()) {
    error.hint = fmt::format("Did you mean \"{}\"?", near);
  }
  return std::unexpected(std::move(error));
}

std::string render_map(const engine::IdFacts& facts, const MapFlags& flags) {
  if (flags.format == "json") return map_as_json(facts, flags.choice);
  const Picture picture = draw(facts, flags.choice);
  if (flags.format == "svg") return map_as_svg(picture);
  const bool terminal = flags.output.empty() && ::isatty(STDOUT_FILENO) == 1;
  const char* no_color = ::getenv("NO_COLOR");
  const bool colours = terminal && (no_color == nullptr || *no_color == '\0');
  return map_as_text(picture, {.width = width_of_output(), .colours = colours});
}

Result<> write_map(const std::string& text, const std::string& output) {
  if (output.empty() || output == "-") {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      return fail_errno(errno, "write the map");
    }
    return {};
  }
  // In its place at once and whole, where it is a file: a picture may be fetched while it is drawn anew.
  struct stat st{};
  if (::stat(output.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    const sys::UniqueFd fd = TRY(sys::open_at(AT_FDCWD, output, O_WRONLY));
    return sys::write_all(fd.get(), text);
  }
  return sys::replace_file_at(AT_FDCWD, output, text, 0644, sys::Durability::none);
}

}  // namespace

Result<int> map(const Invocation& invocation) {
  MapFlags flags;
  std::string container;
  Flags line(invocation, "[flags]", kDescription,
             "  berth map\n  berth map --container web\n  berth map --format svg --output ids.svg\n"
             "  berth map --format json | jq '.parts[] | select(.shared)'\n");
  line.value("--container", container, "Only this container's extents beside the host's, all of them",
             {.shown = "NAME"});
  line.value("--project", flags.choice.project, "Only the containers of this project", {.shown = "NAME"});
  line.flag("-a,--all", flags.choice.all, "Every container, bank and account, however many");
  line.value("--format", flags.format, "text, svg or json", {.choices = {"text", "svg", "json"}});
  line.value("-o,--output", flags.output, "Write to this file", {.shown = "FILE"});
  if (!TRY(line.parse())) return 0;
  if (!container.empty() && !flags.choice.project.empty()) {
    return fail(Code::usage, "--container and --project can't be given together");
  }
  store::Store store = TRY(open_recovered_store(invocation));
  if (!container.empty()) flags.choice.container = TRY(store::find_container(store.db(), container)).name;
  const engine::IdFacts facts = TRY_CONTEXT(engine::look_at_ids(store), "cannot draw the map");
  if (!flags.choice.project.empty()) TRY(check_project(facts, flags.choice.project));
  TRY(write_map(render_map(facts, flags), flags.output));
  return 0;
}

}  // namespace berth::cli
