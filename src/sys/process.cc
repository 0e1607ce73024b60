#include "sys/process.h"

#include <atomic>
#include <cerrno>

#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/clone.h"
#include "sys/process_directory.h"
#include "sys/process_stat.h"

namespace berth::sys {

namespace {

// What stands for processes are their directories in /proc, in the places of pidfds.
std::atomic<bool> kernel_lacks_pidfds = false;

// What the kernel has not done for a new child.
Result<> complete(Child& child, int cgroup, bool in_cgroup) {
  if (!child.pidfd) child.pidfd = TRY(open_process(child.pid));
  return in_cgroup ? Result<>() : enter_cgroup(cgroup, child.pid);
}

}  // namespace

Result<Child> complete_child(Child child, int cgroup, bool in_cgroup) {
  const Result<> completed = complete(child, cgroup, in_cgroup);
  if (completed) return child;
  ::kill(child.pid, SIGKILL);
  ::waitpid(child.pid, nullptr, 0);
  return std::unexpected(completed.error());
}

Result<Child> fork_into(uint64_t namespaces, int cgroup) {
  const Cloned cloned = clone_process({namespaces, SIGCHLD, cgroup});
  if (cloned.pid < 0) return fail_errno(errno, "create a process");
  if (cloned.pid == 0) return Child{};
  return complete_child({static_cast<pid_t>(cloned.pid), UniqueFd(cloned.pidfd)}, cgroup, cloned.in_cgroup);
}

Result<> call_in_namespaces(int namespaces, const std::function<void()>& work) {
  constexpr size_t kStackBytes = size_t{1} << 20;  // as much of it as is used gets memory
  void* stack = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return fail_errno(errno, "get a stack for a process");
  const auto call = [](void* argument) {
    (*static_cast<const std::function<void()>*>(argument))();
    return 0;
  };
  const int flags = namespaces | CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD;
  const pid_t pid = ::clone(call, static_cast<char*>(stack) + kStackBytes, flags,
                            const_cast<std::function<void()>*>(&work));
  const int err = errno;
  int status = 0;
  pid_t waited = pid;
  do {
    if (pid > 0) waited = ::waitpid(pid, &status, 0);
  } while (waited < 0 && errno == EINTR);
  ::munmap(stack, kStackBytes);
  if (pid < 0) return fail_errno(err, "make a namespace");
  if (waited < 0) return fail_errno(errno, "wait for a process");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail("a process in namespaces of its own was killed");
  return {};
}

Result<UniqueFd> open_process(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  if (errno != ENOSYS) return fail_errno(errno, "open process {}", pid);
  kernel_lacks_pidfds = true;
  return open_process_directory(pid);
}

Result<> send_signal(int pidfd, int signal) {
  if (kernel_lacks_pidfds) return signal_by_directory(pidfd, signal);
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) != 0 && errno != ESRCH) {
    return fail_errno(errno, "send signal {}", signal);
  }
  return {};
}

Result<siginfo_t> wait_for(int pidfd) {
  siginfo_t info{};
  int rc = 0;
  const idtype_t type = kernel_lacks_pidfds ? P_PID : P_PIDFD;
  const auto id = static_cast<id_t>(kernel_lacks_pidfds ? TRY(pid_of_directory(pidfd)) : pidfd);
  do {
    rc = ::waitid(type, id, &info, WEXITED);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return fail_errno(errno, "wait for a process");
  return info;
}

int poll_process(std::span<pollfd> watched, int timeout_ms) {
  if (kernel_lacks_pidfds) return poll_by_directory(watched, timeout_ms);
  return ::poll(watched.data(), watched.size(), timeout_ms);
}

int shell_status(const siginfo_t& info) {
  constexpr int kSignalled = 128;
  return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
}

Result<int64_t> start_time(pid_t pid) {
  return TRY(read_process_stat(pid)).start;
}

void set_process_name(const std::string& name) {
  ::prctl(PR_SET_NAME, name.c_str());
}

Result<ScopedFsIds> ScopedFsIds::set(HostUid uid, HostGid gid) {
  const int bits = ::prctl(PR_GET_SECUREBITS);
  if (bits < 0) return fail_errno(errno, "read the securebits");
  if ((static_cast<unsigned>(bits) & SECBIT_NO_SETUID_FIXUP) == 0 &&
      ::prctl(PR_SET_SECUREBITS, static_cast<unsigned>(bits) | SECBIT_NO_SETUID_FIXUP) != 0) {
    return fail_errno(errno, "keep the capabilities over a change of file system IDs");
  }
  ScopedFsIds ids(static_cast<uint32_t>(::setfsuid(uid.value())),
                  static_cast<uint32_t>(::setfsgid(gid.value())), bits);
  // setfsuid(2) reports no errors; asking again shows what is set.
  if (static_cast<uint32_t>(::setfsuid(static_cast<uid_t>(-1))) != uid.value() ||
      static_cast<uint32_t>(::setfsgid(static_cast<gid_t>(-1))) != gid.value()) {
    return fail("act on file systems as UID {} and GID {}: the kernel refused", uid.value(), gid.value());
  }
  return ids;
}

ScopedFsIds::~ScopedFsIds() {
  if (!active_) return;
  ::setfsuid(uid_);
  ::setfsgid(gid_);
  // Whoever is executed from here on, a hook, inherits them.
  ::prctl(PR_SET_SECUREBITS, static_cast<unsigned>(bits_));
}

}  // namespace berth::sys
