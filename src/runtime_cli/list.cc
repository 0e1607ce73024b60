// `berth-runtime list`.
#include <algorithm>
#include <array>

#include "lifecycle/listing.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

namespace {

using Row = std::array<std::string, 6>;

void print_table(const std::vector<lifecycle::Listed>& containers) {
  constexpr size_t kGap = 3;
  constexpr size_t kNarrowest = 12;
  std::vector<Row> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const lifecycle::Listed& one : containers) {
    const bundle::State& state = one.state;
    rows.push_back({state.id, fmt::format("{}", state.pid), std::string(bundle::status_name(state.status)),
                    printable(state.bundle), lifecycle::time_text(one.created_at), printable(one.owner)});
  }
  std::array<size_t, std::tuple_size_v<Row>> widths{};
  widths.fill(kNarrowest);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths.at(i) = std::max(widths.at(i), row.at(i).size() + kGap);
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i + 1 < row.size(); ++i) line += fmt::format("{:<{}}", row.at(i), widths.at(i));
    fmt::print("{}{}\n", line, row.back());
  }
}

}  // namespace

Result<int> list_command(const Invocation& invocation) {
  std::string format = "table";
  bool quiet = false;
  flags::Flags line(invocation, "[flags]", "Lists the containers below --root.",
                    "  berth-runtime list\n  berth-runtime list --format json\n");
  line.value("-f,--format", format, "What to print", {.shown = "FORMAT", .choices = {"table", "json"}});
  line.flag("-q,--quiet", quiet, "Only the IDs");
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  const std::vector<lifecycle::Listed> containers = TRY(lifecycle::list_containers(root));
  if (quiet) {
    for (const lifecycle::Listed& one : containers) fmt::print("{}\n", one.state.id);
  } else if (format == "json") {
    fmt::print("{}\n", TRY(lifecycle::listing_json(containers)));
  } else {
    print_table(containers);
  }
  return 0;
}

}  // namespace berth::runtime_cli
