#include <map>

#include <poll.h>
#include <unistd.h>

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/recovered_store.h"
#include "cli/stats_rows.h"
#include "cli/table.h"
#include "cli/template_rows.h"
#include "engine/container/status.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

struct StatsFlags {
  bool all = false;
  bool latest_only = false;  // --no-stream
  bool no_reset = false;
  bool no_trunc = false;
  std::string format;
  int interval = 5;
  std::vector<std::string> names;
};

using Looks = std::map<std::string, engine::ContainerUsage>;  // by ID

Result<std::vector<store::ContainerRecord>> wanted(store::Store& store, const StatsFlags& flags) {
  std::vector<store::ContainerRecord> records;
  if (flags.names.empty()) return store::list_containers(store.db());
  for (const std::string& name : flags.names) {
    records.push_back(TRY(store::find_container(store.db(), name)));
    if (!engine::live_status(store, records.back().id))
      return fail(Code::conflict, "container {} is not running", records.back().name);
  }
  return records;
}

// Those that run, and with --all the others too.
Result<std::vector<StatsRow>> look(store::Store& store, const std::vector<store::ContainerRecord>& records,
                                   bool all, Looks& last) {
  std::vector<StatsRow> rows;
  Looks current;
  for (const store::ContainerRecord& record : records) {
    StatsRow row{record, std::nullopt, TRY(engine::usage_of(store, record.id))};
    if (const auto before = last.find(record.id); before != last.end()) row.before = before->second;
    if (row.now) current[record.id] = *row.now;
    if (row.now || all) rows.push_back(std::move(row));
  }
  last = std::move(current);
  return rows;
}

Result<> show(const std::vector<StatsRow>& rows, const StatsFlags& flags, bool heading) {
  if (flags.format == "json") {
    Json list = Json::array();
    for (const StatsRow& row : rows) list.push_back(stats_json(row));
    print_json(list);
    return {};
  }
  if (!flags.format.empty() && flags.format != "table") {
    Json list = Json::array();
    for (const StatsRow& row : rows) list.push_back(stats_fields(row, flags.no_trunc));
    return print_template(list, flags.format, heading);
  }
  std::vector<std::vector<std::string>> lines{stats_heading()};
  for (const StatsRow& row : rows) lines.push_back(stats_line(row, flags.no_trunc));
  fmt::print("{}", table(lines));
  return {};
}

}  // namespace

Result<int> stats(const Invocation& invocation) {
  StatsFlags flags;
  Flags line(invocation, "[flags] [CONTAINER...]",
             "Shows what containers use, again and again: those that are named, or all that run. Memory is "
             "without files'\ncontent that the kernel can drop at once.",
             "  berth stats\n  berth stats --no-stream --format json web\n");
  line.flag("-a,--all", flags.all, "Those that do not run as well");
  line.flag("--no-stream", flags.latest_only, "Once, and end");
  line.flag("--no-reset", flags.no_reset, "Do not clear the terminal in between");
  line.flag("--no-trunc", flags.no_trunc, "Whole IDs");
  line.value("-i,--interval", flags.interval, "Seconds between two looks (default 5)",
             {.range = flags::Range{1, 86'400}});
  line.value("--format", flags.format, "json, or a template: \"{{.Name}} {{.CPUPerc}}\"");
  line.words("containers", flags.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (flags.all && !flags.names.empty())
    return fail(Code::usage, "berth stats: name containers or give --all, one of the two");
  store::Store store = TRY(open_recovered_store(invocation));
  const bool resets = !flags.latest_only && !flags.no_reset && ::isatty(STDOUT_FILENO) == 1;
  Looks last;
  for (bool first = true;; first = false) {
    const std::vector<store::ContainerRecord> records = TRY(wanted(store, flags));
    const std::vector<StatsRow> rows = TRY(look(store, records, flags.all, last));
    if (resets) fmt::print("\033[2J\033[H");
    TRY(show(rows, flags, first || resets));
    std::fflush(stdout);
    if (flags.latest_only) return 0;
    constexpr int kMilliseconds = 1000;
    // Nobody reads it any more: there is no use in going on.
    pollfd reader{STDOUT_FILENO, 0, 0};
    if (::poll(&reader, 1, flags.interval * kMilliseconds) > 0) return 0;
  }
}

}  // namespace berth::cli
