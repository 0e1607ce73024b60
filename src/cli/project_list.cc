// `berth project ls` and `berth project describe`.
#include "cli/bank_text.h"
#include "cli/filter.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/print_list.h"
#include "cli/project_text.h"
#include "cli/projects.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/template_rows.h"
#include "cli/times.h"
#include "ledger/bank_numbers.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

struct ListFlags {
  bool quiet = false;
  bool no_heading = false;
  std::string format = "table";
  std::vector<std::string> filters;
};

Result<std::vector<Filter>> parse_filters(const std::vector<std::string>& texts) {
  std::vector<Filter> filters;
  for (const std::string& text : texts) {
    Filter filter = TRY(split_filter(text));
    const bool known = filter.key == "name" || filter.key == "policy" || filter.key == "label";
    if (!known || filter.value.empty()) {
      return fail(Code::usage, "--filter {}: it is name=TEXT, policy=NAME or label=KEY[=VALUE]", text);
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

bool passes(const ProjectView& view, const std::vector<Filter>& filters) {
  for (const Filter& filter : filters) {
    if (filter.key == "name" && view.project.name.find(filter.value) == std::string::npos) return false;
    if (filter.key == "policy" && view.project.policy != filter.value) return false;
    if (filter.key == "label" && !has_label(view.labels, filter.value)) return false;
  }
  return true;
}

void print_table(const std::vector<ProjectView>& views, bool no_heading) {
  std::vector<std::vector<std::string>> lines;
  if (!no_heading)
    lines.push_back(
        {"NAME", "DISPLAY NAME", "STATUS", "ASSIGNED IDS", "POLICY", "CONTAINERS", "BANKS", "CREATED"});
  for (const ProjectView& view : views) {
    const ledger::Project& project = view.project;
    const idmap::IdRange assigned = ledger::assigned_range(project.number);
    std::vector<std::string> banks;
    for (const Bank bank : view.banks) banks.push_back(fmt::format("{}", ledger::number_of(bank)));
    lines.push_back({project.name, annotation(view, kDisplayName), "Active",
                     fmt::format("{}-{}", assigned.begin, assigned.end - 1), project.policy,
                     project.quota ? fmt::format("{}/{}", view.containers.size(), *project.quota)
                                   : std::to_string(view.containers.size()),
                     fmt::format("{}", fmt::join(banks, ",")),
                     time_since(std::chrono::seconds(project.created_at)) + " ago"});
  }
  fmt::print("{}", table(lines));
}

Json json_rows(const std::vector<ProjectView>& views) {
  Json rows = Json::array();
  for (const ProjectView& view : views) rows.push_back(project_json(view));
  return rows;
}

}  // namespace

Result<int> list_projects(const Invocation& invocation) {
  ListFlags flags;
  Flags line(
      invocation, "[flags]",
      "Lists the projects: their assigned IDs inside, their policy, how many containers they have (and "
      "may\n"
      "have), and their banks of the host's IDs, as `berth bank ls` numbers them.",
      "  berth project ls\n"
      "  berth project ls --filter label=team=web\n"
      "  berth project ls --format '{{.Name}} {{.UidRange}}'\n"
      "  berth project ls --format json\n");
  line.list("-f,--filter", flags.filters, "name=TEXT, policy=NAME or label=KEY[=VALUE]");
  line.value("--format", flags.format, "table, json, or a template: \"{{.Name}} {{.Policy}}\"");
  line.flag("-n,--noheading", flags.no_heading, "Print no heading");
  line.flag("-q,--quiet", flags.quiet, "Names only");
  if (!TRY(line.parse())) return 0;
  const std::vector<Filter> filters = TRY(parse_filters(flags.filters));
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<ProjectView> views;
  for (ledger::Project& project : TRY(ledger::list_projects(store.db()))) {
    ProjectView view = TRY(view_project(store, store.db(), std::move(project)));
    if (passes(view, filters)) views.push_back(std::move(view));
  }
  const auto names = [&] {
    for (const ProjectView& view : views) fmt::print("{}\n", view.project.name);
  };
  TRY(print_list({flags.quiet, flags.format, !flags.no_heading},
                 {names, [&] { return json_rows(views); }, [&] { print_table(views, flags.no_heading); }}));
  return 0;
}

Result<int> describe_project(const Invocation& invocation) {
  std::string format = "text";
  std::vector<std::string> names;
  Flags line(invocation, "[flags] NAME [NAME...]",
             "Prints all that is known of projects, as `oc describe project` does: name, labels, annotations "
             "with the\n"
             "assigned range of user and group IDs, and quota; then the number, the policy, the banks with "
             "their host\n"
             "IDs, and the containers.",
             "  berth project describe shop\n"
             "  berth project describe --format '{{.FirstAssigned}}' shop\n");
  line.value("--format", format, "text (default), json, or a template");
  line.words("names", names, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<ProjectView> views;
  for (const std::string& name : names) {
    ledger::Project project = TRY(ledger::find_project(store.db(), name));
    views.push_back(TRY(view_project(store, store.db(), std::move(project))));
  }
  if (format == "json") {
    print_json(json_rows(views));
  } else if (!format.empty() && format != "text") {
    TRY(print_template(json_rows(views), format, true));
  } else {
    for (size_t i = 0; i < views.size(); ++i) fmt::print("{}{}", i == 0 ? "" : "\n\n", description(views[i]));
  }
  return 0;
}

}  // namespace berth::cli
