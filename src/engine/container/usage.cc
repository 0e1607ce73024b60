#include "engine/container/usage.h"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fields.h"
#include "cgroup/statistics.h"
#include "engine/container/container_cgroup.h"
#include "engine/container/status.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

uint64_t host_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size) : 0;
}

std::optional<uint64_t> sum(const std::vector<cgroup::IoCount>& counts, std::string_view operation) {
  if (counts.empty()) return std::nullopt;
  uint64_t total = 0;
  for (const cgroup::IoCount& one : counts) {
    if (one.operation == operation) total += one.value;
  }
  return total;
}

// Files that nobody has mapped or written for some time: the kernel takes them away first (memory.rst).
uint64_t droppable(const cgroup::MemoryStatistics& memory) {
  for (const char* name : {"total_inactive_file", "inactive_file"}) {
    const auto found = memory.raw.find(name);
    if (found != memory.raw.end()) return found->second;
  }
  return 0;
}

void take_statistics(const cgroup::Statistics& from, ContainerUsage& into) {
  into.cpu_ns = from.cpu.usage_ns;
  if (from.pids) into.pids = from.pids->now;
  into.read = sum(from.io.bytes, "Read");
  into.written = sum(from.io.bytes, "Write");
  if (!from.memory.memory) return;
  const cgroup::Usage& memory = *from.memory.memory;
  into.memory = memory.now - std::min(memory.now, droppable(from.memory));
  if (memory.limit) into.memory_limit = std::min(into.memory_limit, *memory.limit);
}

// On v1 a hierarchy for disks would cost every start a tenth of a millisecond; the kernel counts for each
// process as well, and adds a child's counts to its parent's when that has waited for it.
void take_disk_traffic(const cgroup::Cgroup& cgroup, ContainerUsage& into) {
  constexpr size_t kLongest = 4096;
  const Result<std::vector<pid_t>> processes = cgroup.processes();
  if (!processes) return;
  for (const pid_t pid : *processes) {
    const Result<std::string> text = sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/io", pid), kLongest);
    if (!text) continue;  // it has ended
    const DiskTraffic traffic = disk_traffic_in(*text);
    into.read = into.read.value_or(0) + traffic.read;
    into.written = into.written.value_or(0) + traffic.written;
  }
}

// Of the network namespace that its first process is in, read from the host.
void take_traffic(pid_t pid, ContainerUsage& into) {
  constexpr size_t kLongest = size_t{4} << 20;
  const Result<std::string> text =
      sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/net/dev", pid), kLongest);
  if (!text) return;
  const Traffic traffic = traffic_in(*text);
  into.received = traffic.received;
  into.sent = traffic.sent;
}

}  // namespace

Traffic traffic_in(std::string_view net_dev) {
  constexpr size_t kReceived = 0;  // the columns after the name: bytes received, seven others, bytes sent
  constexpr size_t kSent = 8;
  Traffic sums;
  while (!net_dev.empty()) {
    std::string_view line = take_until(net_dev, '\n');
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    line.remove_prefix(colon + 1);
    if (name == "lo") continue;
    for (size_t column = 0; !line.empty(); ++column) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const auto value = whole_number<uint64_t>(take_until(line, ' '));
      if (!value) break;
      if (column == kReceived) sums.received += *value;
      if (column == kSent) sums.sent += *value;
    }
  }
  return sums;
}

DiskTraffic disk_traffic_in(std::string_view proc_io) {
  DiskTraffic traffic;
  while (!proc_io.empty()) {
    std::string_view line = take_until(proc_io, '\n');
    const std::string_view name = take_until(line, ':');
    if (line.starts_with(' ')) line.remove_prefix(1);
    const uint64_t value = whole_number<uint64_t>(line).value_or(0);
    if (name == "read_bytes") traffic.read = value;
    if (name == "write_bytes") traffic.written = value;
  }
  return traffic;
}

Result<std::optional<ContainerUsage>> usage_of(const store::Store& store, std::string_view id) {
  const std::optional<LiveStatus> live = live_status(store, id);
  if (!live) return std::optional<ContainerUsage>();
  ContainerUsage usage{.started_at = live->started_at, .memory_limit = host_memory()};
  if (const std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, id))) {
    const Result<cgroup::Statistics> statistics = cgroup::read_statistics(*cgroup);
    if (!statistics && statistics.error().code == Code::not_found) return std::optional<ContainerUsage>();
    if (!statistics) return std::unexpected(statistics.error());
    take_statistics(*statistics, usage);
    if (!usage.read) take_disk_traffic(*cgroup, usage);
  }
  take_traffic(live->pid, usage);
  usage.time = now_nanoseconds();
  // Its PID may have become another's while it was looked at.
  if (!live_status(store, id)) return std::optional<ContainerUsage>();
  return std::optional(usage);
}

}  // namespace berth::engine
