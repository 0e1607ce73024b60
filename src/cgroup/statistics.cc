#include "cgroup/statistics.h"

#include "base/fields.h"
#include "cgroup/control_file.h"
#include "cgroup/statistic_files.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

// v1 counts pages and says "unlimited" with the most that fit.
constexpr uint64_t kV1Unlimited = 0x7ffffffffffff000 - 0x10000;
constexpr uint64_t kNanoseconds = 1000;  // in a microsecond

// The control files of one directory. A file that is not there is one that says nothing.
class Files {
 public:
  explicit Files(const Cgroup::Part& part) : dir_(part.fd.get()) {}

  [[nodiscard]] std::string text(const std::string& file) const {
    return read_control(dir_, file).value_or("");
  }
  [[nodiscard]] std::optional<uint64_t> number(const std::string& file) const {
    const std::string content = text(file);
    std::string_view rest = content;
    return whole_number<uint64_t>(take_until(rest, '\n'));
  }
  // A limit: nullopt for "max" and v1's word for it.
  [[nodiscard]] std::optional<uint64_t> limit(const std::string& file) const {
    const auto value = number(file);
    return value && *value < kV1Unlimited ? value : std::nullopt;
  }
  [[nodiscard]] std::map<std::string, uint64_t> flat(const std::string& file) const {
    return parse_flat(text(file));
  }

  // Names of files "PREFIX.SIZE.SUFFIX", of which the sizes.
  [[nodiscard]] std::vector<std::string> sizes(std::string_view prefix, std::string_view suffix) const {
    std::vector<std::string> found;
    const Result<std::vector<std::string>> names = sys::list_dir(dir_);
    if (!names) return found;
    for (const std::string& name : *names) {
      if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
      const size_t end = name.find('.', prefix.size());
      if (end == name.size() - suffix.size())
        found.push_back(name.substr(prefix.size(), end - prefix.size()));
    }
    return found;
  }

 private:
  int dir_;
};

std::optional<uint64_t> value_of(const std::map<std::string, uint64_t>& values, const std::string& name) {
  const auto at = values.find(name);
  return at == values.end() ? std::nullopt : std::optional(at->second);
}

std::optional<uint64_t> in_ns(std::optional<uint64_t> microseconds) {
  return microseconds ? std::optional(*microseconds * kNanoseconds) : std::nullopt;
}

void read_cpuacct(const Files& files, CpuStatistics& cpu) {
  cpu.usage_ns = files.number("cpuacct.usage");
  cpu.user_ns = files.number("cpuacct.usage_user");
  cpu.system_ns = files.number("cpuacct.usage_sys");
  cpu.usage_of_each_ns = parse_numbers(files.text("cpuacct.usage_percpu"));
}

void read_cpu_v1(const Files& files, CpuStatistics& cpu) {
  const auto stat = files.flat("cpu.stat");
  cpu.periods = value_of(stat, "nr_periods");
  cpu.throttled_periods = value_of(stat, "nr_throttled");
  cpu.throttled_ns = value_of(stat, "throttled_time");
  cpu.bursts = value_of(stat, "nr_bursts");
  cpu.burst_ns = value_of(stat, "burst_time");
}

// Also without the controller, v2 counts the time and the pressure.
void read_cpu_v2(const Files& files, CpuStatistics& cpu) {
  const auto stat = files.flat("cpu.stat");
  if (!cpu.usage_ns) {
    cpu.usage_ns = in_ns(value_of(stat, "usage_usec"));
    cpu.user_ns = in_ns(value_of(stat, "user_usec"));
    cpu.system_ns = in_ns(value_of(stat, "system_usec"));
  }
  if (!cpu.periods) {
    cpu.periods = value_of(stat, "nr_periods");
    cpu.throttled_periods = value_of(stat, "nr_throttled");
    cpu.throttled_ns = in_ns(value_of(stat, "throttled_usec"));
    cpu.bursts = value_of(stat, "nr_bursts");
    cpu.burst_ns = in_ns(value_of(stat, "burst_usec"));
  }
  cpu.pressure = parse_pressure(files.text("cpu.pressure"));
}

std::optional<Usage> usage_v1(const Files& files, const std::string& prefix) {
  const auto now = files.number(prefix + "usage_in_bytes");
  if (!now) return std::nullopt;
  return Usage{*now, files.limit(prefix + "limit_in_bytes"), files.number(prefix + "max_usage_in_bytes"),
               files.number(prefix + "failcnt")};
}

void read_memory_v1(const Files& files, MemoryStatistics& memory) {
  memory.memory = usage_v1(files, "memory.");
  memory.memory_and_swap = usage_v1(files, "memory.memsw.");
  memory.kernel = usage_v1(files, "memory.kmem.");
  memory.kernel_tcp = usage_v1(files, "memory.kmem.tcp.");
  memory.raw = files.flat("memory.stat");
  memory.cache = value_of(memory.raw, "total_cache");
  memory.oom_kills = value_of(files.flat("memory.oom_control"), "oom_kill");
}

void read_memory_v2(const Files& files, MemoryStatistics& memory) {
  memory.pressure = parse_pressure(files.text("memory.pressure"));
  const auto now = files.number("memory.current");
  if (!now) return;
  const auto events = files.flat("memory.events");
  memory.memory =
      Usage{*now, files.limit("memory.max"), files.number("memory.peak"), value_of(events, "max")};
  if (const auto swap = files.number("memory.swap.current")) {
    const auto swap_limit = files.limit("memory.swap.max");
    memory.memory_and_swap = Usage{.now = *now + *swap, .limit = {}, .most = {}, .failed = {}};
    if (memory.memory->limit && swap_limit)
      memory.memory_and_swap->limit = *memory.memory->limit + *swap_limit;
    memory.memory_and_swap->failed = value_of(files.flat("memory.swap.events"), "max");
  }
  memory.raw = files.flat("memory.stat");
  memory.cache = value_of(memory.raw, "file");
  if (const auto kernel = value_of(memory.raw, "kernel")) memory.kernel = Usage{.now = *kernel};
  memory.oom = value_of(events, "oom");
  memory.oom_kills = value_of(events, "oom_kill");
}

// v1 has the same in files of the scheduler, if one counts, and of the throttle.
std::vector<IoCount> read_blkio(const Files& files, const std::string& what) {
  for (const char* prefix : {"blkio.bfq.", "blkio.throttle."}) {
    for (const char* suffix : {"_recursive", ""}) {
      std::vector<IoCount> counts = parse_blkio(files.text(prefix + what + suffix));
      if (!counts.empty()) return counts;
    }
  }
  return {};
}

std::optional<Usage> read_pids(const Files& files) {
  const auto now = files.number("pids.current");
  if (!now) return std::nullopt;
  return Usage{*now, files.limit("pids.max"), files.number("pids.peak"),
               value_of(files.flat("pids.events"), "max")};
}

void read_hugepages(const Files& files, bool v2, std::map<std::string, Usage>& hugepages) {
  for (const std::string& size : files.sizes("hugetlb.", v2 ? ".current" : ".usage_in_bytes")) {
    const std::string prefix = "hugetlb." + size + ".";
    if (!v2) {
      if (const auto usage = usage_v1(files, prefix)) hugepages.emplace(size, *usage);
    } else if (const auto now = files.number(prefix + "current")) {
      hugepages.emplace(size, Usage{*now, files.limit(prefix + "max"), std::nullopt,
                                    value_of(files.flat(prefix + "events"), "max")});
    }
  }
}

void read_part_v1(const Cgroup::Part& part, Statistics& found) {
  const Files files(part);
  const Hierarchy& hierarchy = part.hierarchy;
  if (hierarchy.has("cpuacct")) read_cpuacct(files, found.cpu);
  if (hierarchy.has("cpu")) read_cpu_v1(files, found.cpu);
  if (hierarchy.has("memory")) read_memory_v1(files, found.memory);
  if (hierarchy.has("pids")) found.pids = read_pids(files);
  if (hierarchy.has("hugetlb")) read_hugepages(files, false, found.hugepages);
  if (hierarchy.has("rdma")) found.rdma = parse_rdma(files.text("rdma.current"), files.text("rdma.max"));
  if (hierarchy.has("blkio")) {
    found.io.bytes = read_blkio(files, "io_service_bytes");
    found.io.operations = read_blkio(files, "io_serviced");
  }
}

void read_part_v2(const Cgroup::Part& part, Statistics& found) {
  const Files files(part);
  const std::vector<std::string> controllers =
      read_words(part.fd.get(), "cgroup.controllers").value_or(std::vector<std::string>());
  read_cpu_v2(files, found.cpu);
  read_memory_v2(files, found.memory);
  found.io.pressure = parse_pressure(files.text("io.pressure"));
  if (contains(controllers, "io")) parse_io_stat(files.text("io.stat"), found.io);
  if (contains(controllers, "pids")) found.pids = read_pids(files);
  if (contains(controllers, "hugetlb")) read_hugepages(files, true, found.hugepages);
  if (contains(controllers, "rdma"))
    found.rdma = parse_rdma(files.text("rdma.current"), files.text("rdma.max"));
}

// Reads of a cgroup that was removed fail with ENODEV, one file after the other.
Result<> demand_there(const Cgroup& cgroup) {
  for (const Cgroup::Part& part : cgroup.parts()) {
    if (read_control(part.fd.get(), "cgroup.procs")) return {};
  }
  return fail(Code::not_found, "the cgroup is gone");
}

}  // namespace

Result<Statistics> read_statistics(const Cgroup& cgroup) {
  TRY(demand_there(cgroup));
  Statistics found;
  // v1 first: what it counts, v2 beside it does not have.
  for (const Cgroup::Part& part : cgroup.parts()) {
    if (!part.v2()) read_part_v1(part, found);
  }
  if (cgroup.v2() != nullptr) read_part_v2(*cgroup.v2(), found);
  return found;
}

Result<std::optional<uint64_t>> read_oom_kills(const Cgroup& cgroup) {
  TRY(demand_there(cgroup));
  const Cgroup::Part* part = cgroup.with_controller("memory");
  if (part == nullptr) return std::optional<uint64_t>();
  return value_of(Files(*part).flat(part->v2() ? "memory.events" : "memory.oom_control"), "oom_kill");
}

}  // namespace berth::cgroup
