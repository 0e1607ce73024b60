#include "cli/command.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <unistd.h>

#include "base/log.h"
#include "base/nearest.h"

namespace berth::cli {

namespace {

constexpr std::string_view kProgram = "berth";

constexpr int kUsageStatus = 125;

// The family whose members are also commands of their own: "container rm" is "rm", as podman and Docker have
// it.
constexpr std::string_view kContainer = "container";
constexpr std::string_view kContainers = "Containers";  // their heading

// What a command is called in a family ("image": inspect, ls, …); empty if it is none of it.
std::string_view name_in(const Command& command, std::string_view family) {
  const size_t space = command.name.find(' ');
  if (command.group.empty()) return {};
  if (space == std::string_view::npos)
    return family == kContainer && command.group == kContainers ? command.name : std::string_view();
  return command.name.substr(0, space) == family ? command.name.substr(space + 1) : std::string_view();
}

// `words` begin with the command; its name may be one word or two ("image prune").
const Command* find_command(std::span<const Command> commands, std::span<const std::string> words,
                            size_t* used) {
  for (size_t count : {size_t{2}, size_t{1}}) {
    if (words.size() < count) continue;
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    for (const Command& command : commands) {
      if (command.name == name) {
        *used = count;
        return &command;
      }
    }
  }
  if (words.size() < 2 || words[0] != kContainer) return nullptr;
  const std::string_view member = words[1] == "ls" || words[1] == "list" ? "ps" : std::string_view(words[1]);
  for (const Command& command : commands) {
    *used = 2;
    if (name_in(command, kContainer) == member) return &command;
  }
  return nullptr;
}

std::vector<std::string_view> members(std::span<const Command> commands, std::string_view family) {
  std::vector<std::string_view> names;
  for (const Command& command : commands) {
    const std::string_view name = name_in(command, family);
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

void print_overview(std::span<const Command> commands, std::string_view only_below) {
  fmt::print("Usage: berth [--root DIR] [--runroot DIR] [--log-level LEVEL] {}COMMAND [flags] [arguments]\n",
             only_below.empty() ? "" : fmt::format("{} ", only_below));
  std::string_view group;
  for (const Command& command : commands) {
    const bool nested = command.name.find(' ') != std::string_view::npos;
    const std::string_view name = only_below.empty() ? command.name : name_in(command, only_below);
    if (command.group.empty() || name.empty() || (nested && only_below.empty())) continue;
    if (group != command.group) {
      group = command.group;
      fmt::print("\n{}:\n", group);
    }
    fmt::print("  {:<16} {}\n", name, command.summary);
  }
  if (only_below.empty()) {
    fmt::print("\nFamilies of commands:\n");
    std::string_view family;
    for (const Command& command : commands) {
      const size_t space = command.name.find(' ');
      if (command.group.empty() || space == std::string_view::npos) continue;
      if (command.name.substr(0, space) == family) continue;
      family = command.name.substr(0, space);
      fmt::print("  {:<16} {}\n", family, fmt::join(members(commands, family), ", "));
    }
  }
  fmt::print("\n`berth COMMAND --help` tells more.\n");
}

// The first words of two-word commands: "image", "system", …
bool is_family(std::span<const Command> commands, std::string_view word) {
  for (const Command& command : commands) {
    if (!command.group.empty() && command.name.size() > word.size() && command.name.starts_with(word) &&
        command.name[word.size()] == ' ') {
      return true;
    }
  }
  return false;
}

std::unexpected<Error> unknown_command(std::span<const Command> commands,
                                       std::span<const std::string> words) {
  const bool nested = is_family(commands, words[0]) && words.size() > 1;
  const std::string said = nested ? words[0] + " " + words[1] : words[0];
  std::vector<std::string_view> names;
  for (const Command& command : commands) {
    if (!command.group.empty()) names.push_back(command.name);
  }
  Error error{Code::usage, 0, fmt::format("there is no command \"{}\"", said), {}};
  const std::string_view near = nearest(said, names);
  error.hint =
      near.empty() ? "`berth --help` lists the commands." : fmt::format("Did you mean `berth {}`?", near);
  return std::unexpected(std::move(error));
}

struct GlobalFlags {
  Globals globals;
  bool help = false;
  bool version = false;
  size_t used = 1;  // arguments up to the command
};

Result<GlobalFlags> read_globals(std::span<const std::string> argv) {
  GlobalFlags flags;
  flags.globals.original.assign(argv.begin(), argv.end());
  for (size_t i = 1; i < argv.size(); flags.used = ++i) {
    const std::string& word = argv[i];
    if (word.empty() || word[0] != '-') break;
    if (word == "-h" || word == "--help") {
      flags.help = true;
      continue;
    }
    if (word == "-v" || word == "--version") {
      flags.version = true;
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    constexpr std::array<std::string_view, 3> kNames{"--root", "--runroot", "--log-level"};
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      Error error{Code::usage, 0, fmt::format("there is no flag {} before the command", name), {}};
      const std::string_view near = nearest(name, kNames);
      if (!near.empty()) error.hint = fmt::format("Did you mean {}?", near);
      return std::unexpected(std::move(error));
    }
    if (equals == std::string::npos && i + 1 >= argv.size())
      return fail(Code::usage, "{} needs a value", name);
    const std::string value = equals == std::string::npos ? argv[++i] : word.substr(equals + 1);
    if (name == "--log-level") {
      if (!log::set_level(value)) {
        return fail(Code::usage, "--log-level {}: it is one of error, warn, info, debug", value);
      }
    } else if (value.empty() || value[0] != '/') {
      return fail(Code::usage, "{} \"{}\": it must be an absolute path", name, value);
    } else if (name == "--root") {
      flags.globals.locations.root = value;
    } else {
      flags.globals.locations.run_root = value;
    }
  }
  return flags;
}

Result<int> dispatch(std::span<const std::string> argv, std::span<const Command> commands,
                     Handover handover) {
  const GlobalFlags flags = TRY(read_globals(argv));
  std::span<const std::string> words = argv.subspan(flags.used);
  const std::vector<std::string> version{"version"};
  if (flags.version) words = version;
  if (flags.help || words.empty() || words[0] == "help") {
    print_overview(commands, {});
    return flags.help || !words.empty() ? 0 : kUsageStatus;
  }
  size_t used = 0;
  const Command* command = find_command(commands, words, &used);
  if (command == nullptr) {
    const bool asks_for_list = words.size() == 1 || words[1] == "--help" || words[1] == "-h";
    if (is_family(commands, words[0]) && asks_for_list) {
      print_overview(commands, words[0]);
      return words.size() == 1 ? kUsageStatus : 0;
    }
    return unknown_command(commands, words);
  }
  const Invocation invocation{
      flags.globals, std::string(command->name), {words.begin() + static_cast<long>(used), words.end()}};
  if (command->run != nullptr) return command->run(invocation);
  if (handover == nullptr) return fail("this program does not have the command \"{}\"", command->name);
  return handover(invocation);
}

}  // namespace

Result<> require_root(const Invocation& invocation) {
  if (::geteuid() == 0) return {};
  Error error{Code::refused, 0, fmt::format("berth {} has to be run by root", invocation.name), {}};
  return std::unexpected(std::move(error).with_hint(
      fmt::format("`sudo berth {}` does; this version has no containers for other users.", invocation.name)));
}

Result<store::Store> open_store(const Invocation& invocation, store::Privacy privacy) {
  TRY(require_root(invocation));
  return store::Store::open(invocation.globals.locations, privacy);
}

int run_command_line(std::span<const std::string> argv, std::span<const Command> commands,
                     Handover handover) {
  Result<int> status = dispatch(argv, commands, handover);
  // Output that could not be written is an error, as with any tool of this kind.
  if (std::fflush(stdout) != 0 && status) status = fail_errno(errno, "write to standard output");
  if (status) return *status;
  const std::string text = render(kProgram, status.error());
  std::fwrite(text.data(), 1, text.size(), stderr);
  return exit_status(status.error().code);
}

}  // namespace berth::cli
