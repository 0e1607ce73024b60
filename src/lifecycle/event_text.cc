#include "lifecycle/event_text.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "oci/json.h"

namespace berth::lifecycle {

namespace {

using nlohmann::json;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

void put(json& object, const char* key, const std::optional<uint64_t>& value) {
  if (value) object[key] = *value;
}

json stall(const cgroup::Stall& stall) {
  return {{"avg10", stall.percent_10s},
          {"avg60", stall.percent_60s},
          {"avg300", stall.percent_300s},
          {"total", stall.total_us}};
}

void put_pressure(json& object, const std::optional<cgroup::Pressure>& pressure) {
  if (pressure) object["psi"] = {{"some", stall(pressure->some)}, {"full", stall(pressure->full)}};
}

json cpu_part(const cgroup::CpuStatistics& cpu) {
  json usage{{"total", cpu.usage_ns.value_or(0)},
             {"kernel", cpu.system_ns.value_or(0)},
             {"user", cpu.user_ns.value_or(0)}};
  if (!cpu.usage_of_each_ns.empty()) usage["percpu"] = cpu.usage_of_each_ns;
  json throttling = json::object();
  put(throttling, "periods", cpu.periods);
  put(throttling, "throttledPeriods", cpu.throttled_periods);
  put(throttling, "throttledTime", cpu.throttled_ns);
  json out{{"usage", usage}, {"throttling", throttling}};
  put_pressure(out, cpu.pressure);
  return out;
}

json memory_entry(const std::optional<cgroup::Usage>& usage) {
  if (!usage) return {{"limit", 0}, {"failcnt", 0}};
  json out{{"limit", usage->limit.value_or(kNoLimit)},
           {"usage", usage->now},
           {"failcnt", usage->failed.value_or(0)}};
  put(out, "max", usage->most);
  return out;
}

json memory_part(const cgroup::MemoryStatistics& memory) {
  json events = json::object();
  put(events, "oom", memory.oom);
  put(events, "oom_kill", memory.oom_kills);
  json out{{"usage", memory_entry(memory.memory)},
           {"swap", memory_entry(memory.memory_and_swap)},
           {"kernel", memory_entry(memory.kernel)},
           {"kernelTCP", memory_entry(memory.kernel_tcp)},
           {"event_count", events}};
  put(out, "cache", memory.cache);
  if (!memory.raw.empty()) out["raw"] = memory.raw;
  put_pressure(out, memory.pressure);
  return out;
}

json entries(const std::vector<cgroup::IoCount>& counts) {
  json out = json::array();
  for (const cgroup::IoCount& count : counts) {
    out.push_back({{"major", count.device.major},
                   {"minor", count.device.minor},
                   {"op", count.operation},
                   {"value", count.value}});
  }
  return out;
}

json io_part(const cgroup::IoStatistics& io) {
  json out = json::object();
  if (!io.bytes.empty()) out["ioServiceBytesRecursive"] = entries(io.bytes);
  if (!io.operations.empty()) out["ioServicedRecursive"] = entries(io.operations);
  put_pressure(out, io.pressure);
  return out;
}

json pids_part(const std::optional<cgroup::Usage>& pids) {
  if (!pids) return json::object();
  return {{"current", pids->now}, {"limit", pids->limit.value_or(0)}};
}

json hugepages_part(const std::map<std::string, cgroup::Usage>& hugepages) {
  json out = json::object();
  for (const auto& [size, usage] : hugepages) {
    json entry{{"usage", usage.now}, {"failcnt", usage.failed.value_or(0)}};
    put(entry, "max", usage.most);
    out[size] = entry;
  }
  return out;
}

}  // namespace

Result<std::string> stats_event(const std::string& id, const cgroup::Statistics& statistics) {
  const json data{{"cpu", cpu_part(statistics.cpu)},
                  {"cpuset", json::object()},
                  {"memory", memory_part(statistics.memory)},
                  {"pids", pids_part(statistics.pids)},
                  {"blkio", io_part(statistics.io)},
                  {"hugetlb", hugepages_part(statistics.hugepages)},
                  {"intel_rdt", json::object()},
                  {"network_interfaces", nullptr}};
  return oci::emit_json({{"type", "stats"}, {"id", id}, {"data", data}});
}

Result<std::string> oom_event(const std::string& id) {
  return oci::emit_json({{"type", "oom"}, {"id", id}});
}

}  // namespace berth::lifecycle
