// Processes: clone3, pidfds, credentials, what a process is called.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/ids.h"
#include "sys/unique_fd.h"

namespace berth::sys {

struct Child {
  pid_t pid = 0;  // 0 in the child itself
  UniqueFd pidfd;
};

// fork(2) with CLONE_NEW* flags (clone3(2), or clone(2) before Linux 5.3). The child gets SIGCHLD semantics
// and no at-fork handlers: only for single-threaded programs. It is in the `cgroup` (an open directory of v2)
// from its first moment on (CLONE_INTO_CGROUP, Linux 5.7), where moving it afterwards would make the kernel
// wait for all processors; before that, when this returns. -1: in the caller's.
Result<Child> fork_into(uint64_t namespaces, int cgroup = -1);

// For those who have cloned by themselves (sys/clone.h): the pidfd if it has none, and its cgroup. On failure
// the child is killed and reaped.
Result<Child> complete_child(Child child, int cgroup, bool in_cgroup);

// Calls `work` in new namespaces (CLONE_NEWNS and others that a process can have for itself), which belong to
// the caller's user namespace and go afterwards. That needs a process, but one that shares memory and
// descriptors with this one, which waits (clone(2), CLONE_VM, CLONE_FILES, CLONE_VFORK). An error if the
// process did not come to the end of `work`.
Result<> call_in_namespaces(int namespaces, const std::function<void()>& work);

// A pidfd of a process that runs (pidfd_open(2), Linux 5.3). ESRCH if there is none. Where the kernel has no
// pidfds it is the process's directory in /proc, which the functions below take as well: what poll(2) says of
// it means nothing.
Result<UniqueFd> open_process(pid_t pid);

// Sends a signal through a pidfd. A process that has ended already is success.
Result<> send_signal(int pidfd, int signal);

// Waits for a child of ours; the siginfo tells how it ended (si_code, si_status).
Result<siginfo_t> wait_for(int pidfd);

// poll(2), where the first of `watched` is a pidfd: it can be read when the process has ended, whoever's
// child it is and whether or not it has been waited for.
int poll_process(std::span<pollfd> watched, int timeout_ms);

// The exit status as a shell gives it: the process's own, or 128 + signal.
int shell_status(const siginfo_t& info);

// When a process was started, in the kernel's ticks since the boot (field 22 of /proc/PID/stat): with the
// PID, a name that is not used twice. An error if there is no such process.
Result<int64_t> start_time(pid_t pid);

// The name that `ps` shows in its comm column; 15 bytes at most are kept.
void set_process_name(const std::string& name);

// While it lives, the calling thread acts on file systems as the given host IDs, with its capabilities kept
// (SECBIT_NO_SETUID_FIXUP): in an idmapped mount whose map has no host root, root itself could create
// nothing.
class ScopedFsIds {
 public:
  static Result<ScopedFsIds> set(HostUid uid, HostGid gid);
  ScopedFsIds(ScopedFsIds&& other) noexcept
      : active_(std::exchange(other.active_, false)),
        uid_(other.uid_),
        gid_(other.gid_),
        bits_(other.bits_) {}
  ScopedFsIds& operator=(ScopedFsIds&&) = delete;
  ScopedFsIds(const ScopedFsIds&) = delete;
  ScopedFsIds& operator=(const ScopedFsIds&) = delete;
  ~ScopedFsIds();

 private:
  ScopedFsIds(uint32_t uid, uint32_t gid, int bits) : active_(true), uid_(uid), gid_(gid), bits_(bits) {}
  bool active_;
  uint32_t uid_;  // to go back to
  uint32_t gid_;
  int bits_;  // the securebits
};

}  // namespace berth::sys
