#include <algorithm>

#include "base/clock.h"
#include "cli/container_filters.h"
#include "cli/container_network.h"
#include "cli/container_rows.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/template_rows.h"

namespace berth::cli {

namespace {

struct PsFlags {
  bool all = false;
  bool quiet = false;
  bool no_trunc = false;
  bool no_heading = false;
  bool latest = false;
  bool size = false;
  bool ns = false;
  std::optional<int64_t> last;
  std::string sort = "created";
  std::string format;
  std::vector<std::string> filters;
};

Result<std::vector<ContainerRow>> wanted_rows(RecoveredStore& recovered, const PsFlags& flags) {
  store::Store& store = recovered.store;
  const ContainerFilters filters = TRY(ContainerFilters::parse(store.db(), flags.filters));
  const auto last = flags.latest ? std::optional<int64_t>(1) : flags.last;
  const bool all = flags.all || filters.want_all() || (last && *last >= 0);
  ContainerViews views(store, recovered.found.live);
  // The newest first.
  std::vector<store::ContainerRecord> records = TRY(store::list_containers(store.db()));
  std::vector<ContainerRow> wanted;
  wanted.reserve(records.size());
  for (store::ContainerRecord& record : records) {
    if (last && *last >= 0 && wanted.size() >= static_cast<size_t>(*last)) break;
    // One that waits to be started again counts as one that runs.
    const bool restarting = record.state == store::kRestarting;
    const bool may_run = record.state == store::kRunning || record.state == store::kCreated || restarting;
    if (!all && !may_run) continue;
    ContainerView view = TRY(views.view(std::move(record)));
    if ((!all && !view.live && !restarting) || !filters.pass(view)) continue;
    wanted.push_back({.view = std::move(view), .banks = {}, .size = {}, .namespaces = {}});
  }
  return wanted;
}

std::vector<Column> columns_of(const std::vector<ContainerRow>& rows, const PsFlags& flags) {
  std::vector<Column> columns;
  if (flags.ns) {
    columns = {{"CONTAINER ID", "ID"}, {"NAMES", "Names"}, {"PID", "Pid"}};
    for (const char* name : {"CGROUPNS", "IPC", "MNT", "NET", "PIDNS", "USERNS", "UTS"})
      columns.push_back({name, name});
  } else {
    columns = {{"CONTAINER ID", "ID"}, {"IMAGE", "Image"}, {"COMMAND", "Command"}, {"CREATED", "Created"},
               {"STATUS", "Status"},   {"PORTS", "Ports"}, {"BANK", "Bank"}};
    // Only where there is something in it.
    const bool projects = std::any_of(rows.begin(), rows.end(),
                                      [](const auto& row) { return !row.view.record.project.empty(); });
    if (projects) columns.push_back({"PROJECT", "Project"});
    columns.push_back({"NAMES", "Names"});
  }
  if (flags.size) columns.push_back({"SIZE", "Size"});
  return columns;
}

Result<> print_table(const std::vector<ContainerRow>& rows, const PsFlags& flags) {
  const std::vector<Column> columns = columns_of(rows, flags);
  std::vector<std::vector<std::string>> lines;
  if (!flags.no_heading) {
    lines.emplace_back();
    for (const Column& column : columns) lines.back().emplace_back(column.heading);
  }
  std::vector<const TemplateField*> fields;
  for (const Column& column : columns) fields.push_back(find_template_field(column.field));
  for (const ContainerRow& row : rows) {
    lines.emplace_back();
    for (const TemplateField* field : fields) {
      const auto value = field->value(row, !flags.no_trunc);
      lines.back().push_back(value.is_string() ? value.get<std::string>() : json_text(value, -1));
    }
  }
  fmt::print("{}", table(lines));
  return {};
}

Result<> print_rows(const std::vector<ContainerRow>& rows, const PsFlags& flags) {
  if (flags.format == "json") {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const ContainerRow& row : rows) list.push_back(json_fields(row));
    print_json(list);
    return {};
  }
  if (flags.format.empty() || flags.format == "table") return print_table(rows, flags);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ContainerRow& row : rows) list.push_back(template_fields(row, !flags.no_trunc));
  return print_template(list, flags.format, !flags.no_heading);
}

}  // namespace

Result<int> ps(const Invocation& invocation) {
  PsFlags flags;
  Flags line(invocation, "[flags]", "Lists the running containers, or all of them, the newest first.",
             "  berth ps\n  berth ps --all --filter status=exited --format '{{.Names}}: {{.Status}}'\n"
             "  berth ps --filter label=team=web --quiet\n  berth ps --all --format json\n");
  line.flag("-a,--all", flags.all, "Those that do not run as well");
  line.list("-f,--filter", flags.filters, kContainerFilters);
  line.value("--format", flags.format, "json, or a template: \"table {{.ID}}\\t{{.Names}}\"");
  line.value("-n,--last", flags.last, "Only so many of all containers, those that were made last");
  line.flag("-l,--latest", flags.latest, "Only the container that was made last");
  line.flag("--no-trunc", flags.no_trunc, "Whole IDs and commands");
  line.flag("--noheading", flags.no_heading, "Print no heading");
  line.flag("--ns,--namespace", flags.ns, "The namespaces of each");
  line.flag("-q,--quiet", flags.quiet, "IDs only");
  line.flag("-s,--size", flags.size, "What each has written, on disk");
  line.value("--sort", flags.sort, "By command, created, id, image, names, runningfor, size or status",
             {.choices = {"command", "created", "id", "image", "names", "runningfor", "size", "status"}});
  if (!TRY(line.parse())) return 0;
  RecoveredStore recovered = TRY(open_and_recover(invocation));
  std::vector<ContainerRow> rows = TRY(wanted_rows(recovered, flags));
  if (flags.quiet) {
    for (const ContainerRow& row : rows)
      fmt::print("{}\n",
                 flags.no_trunc ? row.view.record.id : row.view.record.id.substr(0, kShortContainerId));
    return 0;
  }
  const bool sizes = flags.size || flags.sort == "size";
  TRY(complete_rows(recovered.store, rows, {.sizes = sizes, .namespaces = flags.ns}));
  sort_rows(rows, flags.sort);
  TRY(print_rows(rows, flags));
  return 0;
}

}  // namespace berth::cli
