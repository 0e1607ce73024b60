#include "cli/container_rows.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/container_network.h"
#include "cli/image_text.h"
#include "cli/times.h"
#include "ledger/bank_uses.h"
#include "sys/file.h"
#include "sys/tree_size.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNamespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};

std::string cut_to(std::string text, size_t width, bool cut) {
  return !cut || text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

std::string bank_text(const ContainerRow& row) {
  if (row.view.record.uid_map.empty()) return "host";
  std::vector<std::string> numbers;
  for (const Bank bank : row.banks) numbers.push_back(fmt::format("{}", bank.base()));
  return numbers.empty() ? "-" : fmt::format("{}", fmt::join(numbers, ","));
}

std::map<std::string, std::string> namespaces_of(pid_t pid) {
  std::map<std::string, std::string> found;
  for (const std::string_view name : kNamespaces) {
    struct stat st{};
    if (::stat(fmt::format("/proc/{}/ns/{}", pid, name).c_str(), &st) == 0)
      found[std::string(name)] = fmt::format("{}", st.st_ino);
  }
  return found;
}

int64_t started_at(const ContainerView& view) {
  return view.live ? view.live->started_at : view.record.started_at.value_or(0);
}

std::vector<std::string> mount_targets(const ContainerView& view) {
  std::vector<std::string> targets;
  for (const engine::MountSpec& mount : view.spec->mounts) {
    if (mount.type != "tmpfs") targets.push_back(mount.target);
  }
  return targets;
}

std::string labels_text(const ContainerView& view) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : view.labels) texts.push_back(key + "=" + value);
  return fmt::format("{}", fmt::join(texts, ","));
}

std::string age_text(const ContainerRow& row) {
  return time_since(std::chrono::nanoseconds(row.view.record.created_at)) + " ago";
}

// The inode number of a namespace, where they were asked for.
template <size_t kNumber>
Json namespace_field(const ContainerRow& row, bool /*cut*/) {
  const auto found = row.namespaces.find(std::string(kNamespaces[kNumber]));
  return found == row.namespaces.end() ? "" : found->second;
}

constexpr size_t kCommandWidth = 22;
constexpr TemplateField kFields[] = {
    {"ID",
     [](const ContainerRow& row, bool cut) -> Json {
       return cut ? row.view.record.id.substr(0, kShortContainerId) : row.view.record.id;
     }},
    {"Names", [](const ContainerRow& row, bool) -> Json { return row.view.record.name; }},
    {"Image", [](const ContainerRow& row, bool) -> Json { return row.view.record.image_name; }},
    {"ImageID",
     [](const ContainerRow& row, bool cut) -> Json {
       return cut ? short_id(row.view.record.image_id) : row.view.record.image_id;
     }},
    {"Command",
     [](const ContainerRow& row, bool cut) -> Json {
       return cut_to(fmt::format("{}", fmt::join(row.view.command, " ")), kCommandWidth, cut);
     }},
    {"Created", [](const ContainerRow& row, bool) -> Json { return age_text(row); }},
    {"CreatedAt",
     [](const ContainerRow& row, bool) -> Json {
       return rfc3339(std::chrono::nanoseconds(row.view.record.created_at));
     }},
    {"CreatedHuman", [](const ContainerRow& row, bool) -> Json { return age_text(row); }},
    {"RunningFor", [](const ContainerRow& row, bool) -> Json { return age_text(row); }},
    {"State", [](const ContainerRow& row, bool) -> Json { return row.view.state; }},
    {"Status", [](const ContainerRow& row, bool) -> Json { return status_text(row.view); }},
    {"Health", [](const ContainerRow& row, bool) -> Json { return row.view.health; }},
    {"Ports",
     [](const ContainerRow& row, bool) -> Json { return ports_text(published_ports(*row.view.spec)); }},
    {"Labels", [](const ContainerRow& row, bool) -> Json { return labels_text(row.view); }},
    {"Mounts",
     [](const ContainerRow& row, bool) -> Json {
       return fmt::format("{}", fmt::join(mount_targets(row.view), ","));
     }},
    {"Networks",
     [](const ContainerRow& row, bool) -> Json {
       return fmt::format("{}", fmt::join(network_names(*row.view.spec), ","));
     }},
    {"Pid", [](const ContainerRow& row, bool) -> Json { return row.view.live ? row.view.live->pid : 0; }},
    {"ExitCode",
     [](const ContainerRow& row, bool) -> Json { return row.view.record.exit_status.value_or(0); }},
    {"Exited", [](const ContainerRow& row, bool) -> Json { return row.view.state == store::kExited; }},
    {"ExitedAt",
     [](const ContainerRow& row, bool) -> Json {
       return row.view.record.finished_at.value_or(0) / kNanoseconds;
     }},
    {"StartedAt", [](const ContainerRow& row, bool) -> Json { return started_at(row.view) / kNanoseconds; }},
    {"AutoRemove", [](const ContainerRow& row, bool) -> Json { return row.view.record.remove_on_exit; }},
    {"Bank", [](const ContainerRow& row, bool) -> Json { return bank_text(row); }},
    {"Project",
     [](const ContainerRow& row, bool) -> Json {
       return row.view.record.project.empty() ? "-" : row.view.record.project;
     }},
    {"Size", [](const ContainerRow& row, bool) -> Json { return row.size ? human_size(*row.size) : ""; }},
    {"CGROUPNS", namespace_field<0>},
    {"IPC", namespace_field<1>},
    {"MNT", namespace_field<2>},
    {"NET", namespace_field<3>},
    {"PIDNS", namespace_field<4>},
    {"USERNS", namespace_field<5>},
    {"UTS", namespace_field<6>}};

}  // namespace

Result<> complete_rows(store::Store& store, std::vector<ContainerRow>& rows, const RowOptions& options) {
  std::map<std::string, std::vector<Bank>> banks = TRY(ledger::banks_of_containers(store.db()));
  for (ContainerRow& row : rows) {
    row.banks = std::move(banks[row.view.record.id]);
    if (options.sizes) {
      const std::string upper = engine::container_directory(row.view.record.id) + "/upper";
      row.size = TRY(sys::measure_tree(store.root(), upper)).bytes;
    }
    if (options.namespaces && row.view.live) row.namespaces = namespaces_of(row.view.live->pid);
  }
  return {};
}

void sort_rows(std::vector<ContainerRow>& rows, std::string_view by) {
  const auto sort = [&](auto key) {
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const auto& one, const auto& other) { return key(one) < key(other); });
  };
  if (by == "command") sort([](const ContainerRow& row) { return row.view.command; });
  if (by == "id") sort([](const ContainerRow& row) { return row.view.record.id; });
  if (by == "image") sort([](const ContainerRow& row) { return row.view.record.image_name; });
  if (by == "names") sort([](const ContainerRow& row) { return row.view.record.name; });
  if (by == "runningfor") sort([](const ContainerRow& row) { return started_at(row.view); });
  if (by == "size") sort([](const ContainerRow& row) { return row.size.value_or(0); });
  if (by == "status") sort([](const ContainerRow& row) { return row.view.state; });
}

const TemplateField* find_template_field(std::string_view name) {
  const auto* const found = std::ranges::find(kFields, name, &TemplateField::name);
  return found == std::end(kFields) ? nullptr : found;
}

Json template_fields(const ContainerRow& row, bool cut) {
  Json fields = Json::object();
  for (const TemplateField& field : kFields) fields[field.name] = field.value(row, cut);
  return fields;
}

Json json_fields(const ContainerRow& row) {
  const ContainerView& view = row.view;
  const store::ContainerRecord& record = view.record;
  std::vector<uint32_t> banks;
  for (const Bank bank : row.banks) banks.push_back(bank.base());
  Json ports = Json::array();
  for (const PortView& port : published_ports(*view.spec)) {
    ports.push_back({{"host_ip", port.host},
                     {"container_port", port.container_port},
                     {"host_port", port.host_port},
                     {"range", port.count},
                     {"protocol", port.protocol}});
  }
  Json fields{{"AutoRemove", record.remove_on_exit},
              {"Command", view.command},
              {"CreatedAt", time_since(std::chrono::nanoseconds(record.created_at)) + " ago"},
              {"Exited", view.state == store::kExited},
              {"ExitedAt", record.finished_at.value_or(0) / kNanoseconds},
              {"ExitCode", record.exit_status.value_or(0)},
              {"Id", record.id},
              {"Image", record.image_name},
              {"ImageID", record.image_id},
              {"IsInfra", false},
              {"Labels", view.labels.empty() ? Json(nullptr) : Json(view.labels)},
              {"Mounts", mount_targets(view)},
              {"Names", {record.name}},
              {"Namespaces", row.namespaces.empty() ? Json(Json::object()) : Json(row.namespaces)},
              {"Networks", network_names(*view.spec)},
              {"Pid", view.live ? view.live->pid : 0},
              {"Pod", ""},
              {"PodName", ""},
              {"Ports", ports.empty() ? Json(nullptr) : ports},
              {"Size", nullptr},
              {"StartedAt", started_at(view) / kNanoseconds},
              {"State", view.state},
              {"Status", status_text(view)},
              {"Created", record.created_at / kNanoseconds},
              {"Health", view.health},
              {"Banks", banks},
              {"Project", record.project}};
  if (row.size) fields["Size"] = {{"rwSize", *row.size}};
  return fields;
}

}  // namespace berth::cli
