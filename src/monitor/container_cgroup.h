// The cgroup of a container: made before its first process, which is in it from its first moment on, and
// removed after its last.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cgroup/oom_watch.h"
#include "monitor/protocol.h"
#include "sys/unique_fd.h"

namespace berth::monitor {

// The controllers of v1 that the limits need.
std::vector<std::string> limiting_controllers(const cgroup::Limits& limits);

// As cgroup::apply_limits(), with the errors in the words of the flags. As in podman and Docker, a container
// with a limit for memory gets as much swap again, where that is counted and nothing else is said. Of a
// cgroup that systemd has made, systemd is told too.
Result<> apply_container_limits(const cgroup::Cgroup& cgroup, cgroup::Limits limits);

class ContainerCgroup {
 public:
  // With the limits of the request. On cgroup v1 only in the hierarchies by which a container is counted, and
  // those that a limit needs. Where none can be made a container without limits gets none; with a limit that
  // is an error, and so is all that systemd refuses. `process`: the container's, which waits; not needed if
  // comes_first().
  static Result<ContainerCgroup> make(const CgroupRequest& request, pid_t process);

  // Whether it has to be there before the container's process, which is then made in it: where there is v2,
  // also beside v1. To move a process into one of v2, itself too, makes it wait until all processors have
  // been elsewhere (the write lock of cgroup_threadgroup_rwsem), 6 ms and more. The hierarchies of v1 it has
  // to enter itself in any case, without that wait; where there are only those, they can be made meanwhile.
  // systemd makes none without a process.
  static bool comes_first(const CgroupRequest& request);

  ContainerCgroup() = default;
  ContainerCgroup(ContainerCgroup&&) = default;
  ContainerCgroup& operator=(ContainerCgroup&&) = delete;
  ContainerCgroup(const ContainerCgroup&) = delete;
  ContainerCgroup& operator=(const ContainerCgroup&) = delete;
  ~ContainerCgroup();

  // Ends what is in it and removes it; so does its end of life. What can't be removed is for recover().
  void end();

  // As cgroup::Cgroup has them; -1 and none without a cgroup.
  [[nodiscard]] int clone_fd() const { return cgroup_ ? cgroup_->clone_fd() : -1; }
  [[nodiscard]] Result<std::vector<sys::UniqueFd>> entrances() const;

  // Writes down in the container's directory below the run root (kCgroupFile) which it is. What others add to
  // the file (`berth update`) is removed with the rest.
  Result<> record(int state);

  // nullopt where there is nothing to watch.
  [[nodiscard]] std::optional<cgroup::OomWatch> watch_memory() const;
  // Whether the kernel has killed a process in it for want of memory; nullopt if it is gone already.
  [[nodiscard]] std::optional<bool> out_of_memory() const;

 private:
  ContainerCgroup(cgroup::Cgroup cgroup, bool entered) : cgroup_(std::move(cgroup)), entered_(entered) {}
  Result<> apply(const CgroupRequest& request) const;
  [[nodiscard]] Result<> remove() const;
  std::optional<cgroup::Cgroup> cgroup_;
  bool entered_ = false;  // the container's process is made in its directory of v2
  sys::UniqueFd state_;
};

}  // namespace berth::monitor
