#include "sys/process.h"

#include <cerrno>

#include <linux/sched.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::sys {

Result<Child> fork_into(uint64_t namespaces) {
  int pidfd = -1;
  clone_args args{};
  args.flags = namespaces | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return fail_errno(errno, "create a process");
  return Child{static_cast<pid_t>(pid), UniqueFd(pid == 0 ? -1 : pidfd)};
}

Result<> send_signal(int pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) != 0 && errno != ESRCH) {
    return fail_errno(errno, "send signal {}", signal);
  }
  return {};
}

Result<siginfo_t> wait_for(int pidfd) {
  siginfo_t info{};
  int rc = 0;
  do {
    rc = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return fail_errno(errno, "wait for a process");
  return info;
}

int shell_status(const siginfo_t& info) {
  constexpr int kSignalled = 128;
  return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
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
                  static_cast<uint32_t>(::setfsgid(gid.value())));
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
}

}  // namespace berth::sys
