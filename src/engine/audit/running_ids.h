// The IDs that are in use on the host right now: by processes, and by the maps of their user namespaces.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_range.h"

namespace berth::engine {

// A user namespace that has a process in it, but for the one that berth itself is in.
struct RunningNamespace {
  uint64_t inode = 0;  // what `lsns` and `ls -l /proc/PID/ns/user` show
  pid_t pid = 0;       // the first process found in it
  std::string command{};
  bool ours = false;  // a container's of berth, or made inside one
  // The host's side of its maps, but for identity extents: those take no range from anybody.
  std::vector<idmap::IdRange> users{};
  std::vector<idmap::IdRange> groups{};
};

// A process that is in berth's own user namespace, or in a foreign one that does not map its IDs.
struct RunningProcess {
  pid_t pid = 0;
  std::string command{};         // as `ps -o comm` shows it: any bytes
  std::vector<HostUid> users{};  // real, effective and saved, each once; without root
};

struct RunningIds {
  std::vector<RunningNamespace> namespaces{};
  std::vector<RunningProcess> processes{};
};

// One look at all processes. `containers` are processes in containers of berth's own that have namespaces of
// their own, by PID. A process that ends meanwhile is passed over; kernel threads and what is only root's
// have no place here. About 20 µs a process.
Result<RunningIds> look_at_processes(const std::string& proc, std::span<const pid_t> containers);

}  // namespace berth::engine
