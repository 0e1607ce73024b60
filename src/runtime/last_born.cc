#include "runtime/last_born.h"

#include <cerrno>
#include <csignal>

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::runtime {

Result<LastBorn> LastBorn::prepare() {
  void* page = ::mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return fail_errno(errno, "get memory to share with a process");
  LastBorn made;
  made.page_ = static_cast<pid_t*>(page);
  return made;
}

LastBorn::~LastBorn() {
  if (page_ != nullptr) ::munmap(page_, sizeof(pid_t));
}

Result<> LastBorn::go_ahead(int pid_namespace) const {
  if (::madvise(page_, static_cast<size_t>(::sysconf(_SC_PAGESIZE)), MADV_DONTFORK) != 0)
    return fail_errno(errno, "keep memory from a process");
  if (::setns(pid_namespace, CLONE_NEWPID) != 0) return fail_errno(errno, "join the pid namespace");
  return {};
}

Result<> LastBorn::be_born() const {
  // Not clone3(2), which many filters refuse because they can't see into its arguments.
  const long pid =
      ::syscall(SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, nullptr, page_, nullptr, nullptr);
  if (pid == 0) return {};
  if (pid > 0) ::_exit(0);
  const int err = errno;
  Error error = fail_errno(err, "create the process in the container").error();
  return std::unexpected(std::move(error).with_hint(
      err == EAGAIN
          ? "Into a container that has CAP_SYS_PTRACE and no user namespace a process is brought by "
            "another one, which its limit of processes has to allow for a moment."
          : "Its seccomp filter has to allow clone(2): into a container that has CAP_SYS_PTRACE and "
            "no user namespace, a process is brought by another one."));
}

Result<> LastBorn::follow(sys::Child& child) const {
  TRY(sys::wait_for(child.pidfd.get()));
  child.pidfd.reset();
  if (*page_ == 0) return fail("the process ended before it was in the container");
  child.pid = *page_;
  // It is this process's child, so its PID is nobody else's before it is waited for.
  child.pidfd = TRY(sys::open_process(child.pid));
  return {};
}

}  // namespace berth::runtime
