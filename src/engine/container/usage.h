// What a container uses at one moment, for `berth stats`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "store/store.h"

namespace berth::engine {

// What the host does not tell is empty.
struct ContainerUsage {
  int64_t time = 0;        // when it was looked at, nanoseconds since 1970
  int64_t started_at = 0;  // the container, likewise
  std::optional<uint64_t> cpu_ns;
  std::optional<uint64_t> memory;          // bytes, without files' content that could be dropped at once
  uint64_t memory_limit = 0;               // bytes; the host's memory where there is no lower limit
  std::optional<uint64_t> pids;            // processes and threads
  std::optional<uint64_t> received, sent;  // bytes, over all of its network interfaces but loopback
  // Bytes, from and to block devices. Where no cgroup counts them (v1, unless a disk is limited) they are
  // those of its processes and of the ended children of these.
  std::optional<uint64_t> read, written;
};

// nullopt if it does not run (any more).
Result<std::optional<ContainerUsage>> usage_of(const store::Store& store, std::string_view id);

// The sums over the text of /proc/PID/net/dev (proc_pid_net(5)); lines that are none are passed over.
struct Traffic {
  uint64_t received = 0;
  uint64_t sent = 0;
};
Traffic traffic_in(std::string_view net_dev);

// Of the text of /proc/PID/io (proc_pid_io(5)): what a process has had from disks and sent to them.
struct DiskTraffic {
  uint64_t read = 0;
  uint64_t written = 0;
};
DiskTraffic disk_traffic_in(std::string_view proc_io);

}  // namespace berth::engine
