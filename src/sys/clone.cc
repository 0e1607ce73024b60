#include "sys/clone.h"

#include <cerrno>

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::sys {

namespace {

// Before Linux 5.3 there is no such call, and before 5.7 none that takes a cgroup.
bool is_lacking(int err, bool with_cgroup) {
  return err == ENOSYS || (with_cgroup && (err == EINVAL || err == E2BIG));
}

}  // namespace

Cloned clone_process(const CloneRequest& request) {
  Cloned cloned;
  const bool with_cgroup = request.cgroup >= 0;
  clone_args args{};
  args.flags = request.flags;
  args.exit_signal = static_cast<decltype(args.exit_signal)>(request.exit_signal);
  if ((request.flags & CLONE_PARENT) == 0) {
    args.flags |= CLONE_PIDFD;
    args.pidfd = reinterpret_cast<uint64_t>(&cloned.pidfd);
  }
  if (with_cgroup) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<decltype(args.cgroup)>(request.cgroup);
  }
  cloned.pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (cloned.pid >= 0 || !is_lacking(errno, with_cgroup)) return cloned;
  // The order of the arguments after the second depends on the architecture; they are all 0 here.
  const uint64_t flags = request.flags | static_cast<uint64_t>(request.exit_signal);
  cloned.pid = ::syscall(SYS_clone, flags, 0, 0, 0, 0);
  cloned.in_cgroup = !with_cgroup;
  return cloned;
}

Result<> enter_cgroup(int cgroup, pid_t pid) {
  const Result<> moved = write_control_file(cgroup, "cgroup.procs", std::to_string(pid));
  if (!moved) return fail_errno(moved.error().err, "create a process in the cgroup");
  return {};
}

}  // namespace berth::sys
