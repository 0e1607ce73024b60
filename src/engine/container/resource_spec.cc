#include "engine/container/resource_spec.h"

#include <nlohmann/json.hpp>

#include "base/fields.h"

namespace berth::engine {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DeviceLimitSpec, device, value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CgroupFileSpec, file, value)

namespace {

using Json = nlohmann::json;

template <typename Spec, typename Visit>
void for_each_member(Spec& spec, Visit visit) {
  visit("cgroup_parent", spec.cgroup_parent);
  visit("memory", spec.memory);
  visit("memory_swap", spec.memory_swap);
  visit("memory_reservation", spec.memory_reservation);
  visit("memory_swappiness", spec.memory_swappiness);
  visit("oom_kill_disabled", spec.oom_kill_disabled);
  visit("oom_score_adj", spec.oom_score_adj);
  visit("nano_cpus", spec.nano_cpus);
  visit("cpu_period", spec.cpu_period);
  visit("cpu_quota", spec.cpu_quota);
  visit("cpu_shares", spec.cpu_shares);
  visit("cpu_rt_period", spec.cpu_rt_period);
  visit("cpu_rt_runtime", spec.cpu_rt_runtime);
  visit("cpuset_cpus", spec.cpuset_cpus);
  visit("cpuset_mems", spec.cpuset_mems);
  visit("pids", spec.pids);
  visit("blkio_weight", spec.blkio_weight);
  visit("blkio_weight_device", spec.blkio_weight_device);
  visit("device_read_bps", spec.device_read_bps);
  visit("device_read_iops", spec.device_read_iops);
  visit("device_write_bps", spec.device_write_bps);
  visit("device_write_iops", spec.device_write_iops);
  visit("cgroup_files", spec.cgroup_files);
}

template <typename T>
void write(Json& document, const char* name, const T& member) {
  if (Json value = member; value != Json(T{})) document[name] = std::move(value);
}
void write(Json& document, const char* name, const std::optional<uint64_t>& member) {
  if (member) document[name] = *member;
}
// The record has no negative numbers.
void write(Json& document, const char* name, const std::optional<int64_t>& member) {
  if (member) document[name] = std::to_string(*member);
}

template <typename T>
void read(const Json& value, T& member) {
  value.get_to(member);
}
void read(const Json& value, std::optional<uint64_t>& member) {
  member = value.get<uint64_t>();
}
void read(const Json& value, std::optional<int64_t>& member) {
  member = whole_number<int64_t>(value.get<std::string>());
}

}  // namespace

void to_json(Json& document, const ResourceSpec& spec) {
  document = Json::object();
  for_each_member(spec, [&](const char* name, const auto& member) { write(document, name, member); });
  if (!spec.own_cgroup) document["own_cgroup"] = false;
}

void from_json(const Json& document, ResourceSpec& spec) {
  for_each_member(spec, [&](const char* name, auto& member) {
    if (document.contains(name)) read(document.at(name), member);
  });
  if (document.contains("own_cgroup")) document.at("own_cgroup").get_to(spec.own_cgroup);
}

}  // namespace berth::engine
