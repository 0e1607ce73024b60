#include "cli/project_text.h"

#include "cli/bank_text.h"
#include "cli/times.h"
#include "engine/container/status.h"
#include "ledger/bank_numbers.h"
#include "oci/json.h"
#include "store/containers.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLargest = size_t{1} << 20;  // of labels, and of annotations
constexpr const char* kNone = "<none>";       // as oc prints it

Result<std::map<std::string, std::string>> pairs_of(const std::string& text, const std::string& what) {
  const nlohmann::json document = TRY_CONTEXT(oci::parse_json(text, kLargest), "{}", what);
  const oci::JsonView view(document, what);
  return view.string_map();
}

Result<std::vector<ProjectContainer>> containers_of(const store::Store& store, store::Database& db,
                                                    const std::string& project) {
  std::vector<ProjectContainer> containers;
  for (const ledger::User& user : TRY(ledger::containers_of_project(db, project))) {
    const store::ContainerRecord record = TRY(store::find_container(db, user.id));
    containers.push_back({user.name, engine::live_status(store, user.id) ? "running" : record.state});
  }
  return containers;
}

// One "Key:   value" of several lines, each after the first below it.
class Fields {
 public:
  void add(std::string_view key, const std::vector<std::string>& values) {
    const std::string name = fmt::format("{}:", key);
    text_ += fmt::format("{:<17}{}\n", name, values.empty() ? kNone : values.front());
    for (size_t i = 1; i < values.size(); ++i) text_ += fmt::format("{:<17}{}\n", "", values[i]);
  }
  void add(std::string_view key, const std::string& value) {
    add(key, value.empty() ? std::vector<std::string>{} : std::vector{value});
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

std::vector<std::string> lines_of(const std::map<std::string, std::string>& pairs) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : pairs) lines.push_back(printable(fmt::format("{}={}", key, value)));
  return lines;
}

std::vector<std::string> bank_lines(const ProjectView& view) {
  std::vector<std::string> lines;
  const idmap::IdRange assigned = ledger::assigned_range(view.project.number);
  for (const Bank bank : view.banks) {
    const std::string inside = lines.empty() ? fmt::format("0-{}", kBankSize - 1)
                                             : fmt::format("{}-{}", assigned.begin, assigned.end - 1);
    const uint32_t count = lines.empty() ? kBankSize : ledger::kAssignedIds;
    lines.push_back(fmt::format("{}: {} inside are {}-{} on the host", ledger::number_of(bank), inside,
                                bank.base(), uint64_t{bank.base()} + count - 1));
  }
  return lines;
}

}  // namespace

Result<ProjectView> view_project(const store::Store& store, store::Database& db, ledger::Project project) {
  ProjectView view;
  view.labels = TRY(pairs_of(project.labels, "labels of project " + project.name));
  view.annotations = TRY(pairs_of(project.annotations, "annotations of project " + project.name));
  view.annotations["openshift.io/sa.scc.uid-range"] = ledger::range_text(project.number);
  view.annotations["openshift.io/sa.scc.supplemental-groups"] = ledger::range_text(project.number);
  view.banks = TRY(ledger::banks_of_project(db, project.name));
  view.containers = TRY(containers_of(store, db, project.name));
  view.project = std::move(project);
  return view;
}

std::string annotation(const ProjectView& view, const char* key) {
  const auto found = view.annotations.find(key);
  return found == view.annotations.end() ? std::string() : found->second;
}

Json project_json(const ProjectView& view) {
  const ledger::Project& project = view.project;
  const idmap::IdRange assigned = ledger::assigned_range(project.number);
  Json banks = Json::array();
  Json maps = Json::array();
  for (const Bank bank : view.banks) {
    const bool first = banks.empty();
    maps.push_back(fmt::format("{}:{}:{}", first ? 0 : assigned.begin, bank.base(),
                               first ? kBankSize : ledger::kAssignedIds));
    banks.push_back(ledger::number_of(bank));
  }
  Json containers = Json::array();
  for (const ProjectContainer& container : view.containers)
    containers.push_back({{"Name", container.name}, {"Status", container.status}});
  return {{"Name", project.name},
          {"Number", project.number},
          {"Created", rfc3339(std::chrono::seconds(project.created_at))},
          {"DisplayName", annotation(view, kDisplayName)},
          {"Description", annotation(view, kDescription)},
          {"Status", "Active"},
          {"Policy", project.policy},
          {"Quota", project.quota ? Json(*project.quota) : Json(nullptr)},
          {"UidRange", ledger::range_text(project.number)},
          {"FirstAssigned", assigned.begin},
          {"LastAssigned", assigned.end - 1},
          {"Banks", banks},
          {"IDMap", maps},
          {"Containers", containers},
          {"Labels", view.labels.empty() ? Json::object() : Json(view.labels)},
          {"Annotations", view.annotations}};
}

std::string description(const ProjectView& view) {
  const ledger::Project& project = view.project;
  const idmap::IdRange assigned = ledger::assigned_range(project.number);
  std::vector<std::string> containers;
  for (const ProjectContainer& container : view.containers)
    containers.push_back(fmt::format("{} ({})", container.name, container.status));
  std::string quota;
  if (project.quota) quota = fmt::format("{} of {} containers", view.containers.size(), *project.quota);
  Fields fields;
  fields.add("Name", project.name);
  fields.add("Namespace", "");
  fields.add("Created", time_since(std::chrono::seconds(project.created_at)) + " ago");
  fields.add("Labels", lines_of(view.labels));
  fields.add("Annotations", lines_of(view.annotations));
  fields.add("Display Name", printable(annotation(view, kDisplayName)));
  fields.add("Description", printable(annotation(view, kDescription)));
  fields.add("Status", "Active");
  fields.add("Node Selector", "");
  fields.add("Quota", quota);
  fields.add("Resource limits", "");
  fields.add("Number", std::to_string(project.number));
  fields.add("Policy", project.policy);
  fields.add("Assigned IDs", fmt::format("{}-{}", assigned.begin, assigned.end - 1));
  fields.add("Banks", bank_lines(view));
  fields.add("Containers", containers);
  return std::move(fields).text();
}

Result<std::string> object_text(const std::map<std::string, std::string>& pairs) {
  return oci::emit_json(pairs.empty() ? nlohmann::json::object() : nlohmann::json(pairs));
}

}  // namespace berth::cli
