// The same system calls by the doors of the other ABIs: int 0x80 (i386) and the x32 bit. A filter that knows
// only x86-64 lets them through.
#include <csetjmp>
#include <csignal>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempts.h"

namespace {

sigjmp_buf no_such_door;

void on_fault(int) {
  ::siglongjmp(no_such_door, 1);
}

// errno negated, as the kernel gives it; -38 (ENOSYS) where the kernel has no such ABI.
long call_32(long number, long a, long b, long c) {
  if (::sigsetjmp(no_such_door, 1) != 0) return -ENOSYS;
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(a), "c"(b), "d"(c)
               : "memory", "r8", "r9", "r10", "r11");
  return static_cast<int>(result);
}

void must_be_filtered(attack::Attempts& attempts, long result, const char* what) {
  errno = result < 0 ? static_cast<int>(-result) : 0;
  attempts.must_hold(result == -EPERM || result == -ENOSYS, what);
}

}  // namespace

int main() {
  attack::Attempts attempts;
  struct sigaction action{};
  action.sa_handler = on_fault;
  ::sigaction(SIGSEGV, &action, nullptr);
  ::sigaction(SIGSYS, &action, nullptr);
  // Bad arguments: a call that is not filtered fails with EFAULT, EINVAL or EBADF, never with EPERM or
  // ENOSYS.
  constexpr long kBad = -1;
  must_be_filtered(attempts, call_32(288, kBad, 0, 0), "i386 keyctl");
  must_be_filtered(attempts, call_32(286, 0, 0, 0), "i386 add_key");
  must_be_filtered(attempts, call_32(310, CLONE_NEWUSER, 0, 0), "i386 unshare(CLONE_NEWUSER)");
  must_be_filtered(attempts, call_32(342, kBad, 0, 0), "i386 open_by_handle_at");
  must_be_filtered(attempts, call_32(21, 0, 0, 0), "i386 mount");
  must_be_filtered(attempts, call_32(374, kBad, 0, 0), "i386 userfaultfd");
  constexpr long kX32 = 0x40000000;
  const auto x32 = [](long number, long a) {
    const long result = ::syscall(kX32 | number, a, 0, 0, 0, 0);
    return result < 0 ? -static_cast<long>(errno) : result;
  };
  must_be_filtered(attempts, x32(SYS_keyctl, kBad), "x32 keyctl");
  must_be_filtered(attempts, x32(SYS_unshare, CLONE_NEWUSER), "x32 unshare(CLONE_NEWUSER)");
  must_be_filtered(attempts, x32(SYS_add_key, 0), "x32 add_key");
  // And by the usual door.
  must_be_filtered(attempts, ::syscall(SYS_keyctl, kBad, 0, 0, 0) < 0 ? -errno : 0, "keyctl");
  must_be_filtered(attempts, ::unshare(CLONE_NEWUSER) < 0 ? -errno : 0, "unshare(CLONE_NEWUSER)");
  return attempts.finish();
}
