#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/times.h"
#include "engine/container/status.h"
#include "engine/plan_container.h"
#include "ledger/bank_uses.h"
#include "ledger/banks.h"
#include "store/containers.h"
#include "store/images.h"

namespace berth::cli {

namespace {

struct PsFlags {
  bool all = false;
  bool quiet = false;
  bool no_trunc = false;
  std::string format = "table";
  std::vector<std::string> filters;
};

struct Row {
  store::ContainerRecord record;
  std::optional<engine::LiveStatus> live;
  std::string command;
  std::vector<Bank> banks;  // its own, then those that it shares with others
};

std::string status_text(const Row& row) {
  if (row.live) return fmt::format("Up {}", time_since(std::chrono::nanoseconds(row.live->started_at)));
  if (row.record.state == store::kCreated) return "Created";
  if (row.record.state == store::kRunning) return row.record.started_at ? "Ending" : "Starting";
  if (row.record.state == store::kRemoving) return "Removing";
  const std::string ago =
      row.record.finished_at ? time_since(std::chrono::nanoseconds(*row.record.finished_at)) + " ago" : "";
  if (row.record.exit_status) return fmt::format("Exited ({}) {}", *row.record.exit_status, ago);
  return fmt::format("Exited (unknown: {}) {}", row.record.exit_reason, ago);
}

std::string command_text(store::Store& store, const store::ContainerRecord& record) {
  const auto spec = engine::container_spec_from_json(record.spec);
  if (!spec) return {};
  oci::ImageConfig config;
  if (const auto image = store::find_image(store, record.image_id)) {
    if (auto parsed = oci::parse_image_config(image->config)) config = std::move(*parsed);
  }
  const auto words = engine::command_line(*spec, config);
  return words ? fmt::format("{}", fmt::join(*words, " ")) : std::string();
}

std::string cut(std::string text, size_t width, bool whole) {
  return whole || text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

std::string bank_text(const Row& row) {
  std::vector<std::string> numbers;
  for (const Bank bank : row.banks) numbers.push_back(fmt::format("{}", bank.base()));
  if (row.record.uid_map.empty()) return "host";
  return numbers.empty() ? "-" : fmt::format("{}", fmt::join(numbers, ","));
}

Result<std::vector<Bank>> banks_of(store::Database& db, const store::ContainerRecord& record) {
  std::vector<Bank> banks = TRY(ledger::banks_of(db, {"container", record.id}));
  const std::vector<Bank> used = TRY(ledger::banks_used_by(db, record.id));
  banks.insert(banks.end(), used.begin(), used.end());
  return banks;
}

// "project=NAME"; of several one has to hold, as podman has it.
Result<std::vector<std::string>> wanted_projects(const std::vector<std::string>& filters) {
  constexpr std::string_view kProject = "project=";
  std::vector<std::string> projects;
  for (const std::string& filter : filters) {
    if (!filter.starts_with(kProject) || filter.size() == kProject.size())
      return fail(Code::usage, "--filter {}: it is project=NAME", filter);
    projects.push_back(filter.substr(kProject.size()));
  }
  return projects;
}

void print_table(const std::vector<Row>& rows, bool whole) {
  constexpr size_t kShortId = 12;
  constexpr size_t kCommandWidth = 22;
  // A column only where there is something in it.
  const bool projects =
      std::any_of(rows.begin(), rows.end(), [](const Row& row) { return !row.record.project.empty(); });
  const auto add = [&](std::vector<std::string> line, const std::string& project) {
    if (projects) line.insert(line.end() - 1, project.empty() ? "-" : project);
    return line;
  };
  std::vector<std::vector<std::string>> lines{
      add({"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "BANK", "NAMES"}, "PROJECT")};
  for (const Row& row : rows) {
    lines.push_back(add({whole ? row.record.id : row.record.id.substr(0, kShortId), row.record.image_name,
                         cut(row.command, kCommandWidth, whole),
                         time_since(std::chrono::nanoseconds(row.record.created_at)) + " ago",
                         status_text(row), bank_text(row), row.record.name},
                        row.record.project));
  }
  fmt::print("{}", table(lines));
}

nlohmann::json json_rows(const std::vector<Row>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    std::vector<uint32_t> banks;
    for (const Bank bank : row.banks) banks.push_back(bank.base());
    list.push_back({{"Id", row.record.id},
                    {"Names", {row.record.name}},
                    {"Image", row.record.image_name},
                    {"ImageID", row.record.image_id},
                    {"Command", row.command},
                    {"Created", row.record.created_at / kNanoseconds},
                    {"State", row.live ? "running" : row.record.state},
                    {"Status", status_text(row)},
                    {"Pid", row.live ? row.live->pid : 0},
                    {"ExitCode", row.record.exit_status.value_or(0)},
                    {"Banks", banks},
                    {"Project", row.record.project}});
  }
  return list;
}

}  // namespace

Result<int> ps(const Invocation& invocation) {
  PsFlags flags;
  Flags line(invocation, "[flags]", "Lists the running containers, or all of them.",
             "  berth ps\n  berth ps --all --format json\n");
  line.flag("-a,--all", flags.all, "Those that do not run as well");
  line.flag("-q,--quiet", flags.quiet, "IDs only");
  line.flag("--no-trunc", flags.no_trunc, "Whole IDs and commands");
  line.value("--format", flags.format, "table or json", {.choices = {"table", "json"}});
  line.list("-f,--filter", flags.filters, "project=NAME");
  if (!TRY(line.parse())) return 0;
  const std::vector<std::string> projects = TRY(wanted_projects(flags.filters));
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<Row> rows;
  for (store::ContainerRecord& record : TRY(store::list_containers(store.db()))) {
    const auto live = engine::live_status(store, record.id);
    if (!live && !flags.all) continue;
    const bool wanted = std::find(projects.begin(), projects.end(), record.project) != projects.end();
    if (!projects.empty() && !wanted) continue;
    std::string command = command_text(store, record);
    std::vector<Bank> banks = TRY(banks_of(store.db(), record));
    rows.push_back({std::move(record), live, std::move(command), std::move(banks)});
  }
  if (flags.quiet) {
    for (const Row& row : rows)
      fmt::print("{}\n", flags.no_trunc ? row.record.id : row.record.id.substr(0, 12));
  } else if (flags.format == "json") {
    print_json(json_rows(rows));
  } else {
    print_table(rows, flags.no_trunc);
  }
  return 0;
}

}  // namespace berth::cli
