// Where berth-runtime begins, before libc: it executes itself again from a read-only mount of its own file,
// so that no process of a container can reach that file for writing by /proc/PID/exe (CVE-2019-5736).
//
// main() does the same with all the other ways that there are (sys/sealed_program.h), and tells errors. Here
// it is done once more because of its price: setting up libc twice takes 0.3 ms of a start (CPUID alone,
// which a hypervisor has to answer, 0.2). Whatever fails here is left to main().
//
// Nothing of libc may be used: the program is not relocated yet, and there is no thread-local storage.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

namespace {

constexpr long kReadOnly = 1;  // ST_RDONLY, as statfs(2) has it in f_flags

long call(long number, long a, long b, long c = 0, long d = 0, long e = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}

long address(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

// A mount of the file that is read-only and nowhere attached; negative: it can't be had. The descriptor stays
// open when it is executed from: see sys::keep_own_mount().
long read_only_mount(long file) {
  const long mount = call(SYS_open_tree, file, address(""), OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (mount < 0) return mount;
  const mount_attr attributes = {MOUNT_ATTR_RDONLY, 0, 0, 0};
  const long set =
      call(SYS_mount_setattr, mount, address(""), AT_EMPTY_PATH, address(&attributes), sizeof attributes);
  if (set == 0) return mount;
  call(SYS_close, mount, 0);
  return set;
}

}  // namespace

extern "C" [[gnu::used]] void berth_seal(long* stack) {
  const long file = call(SYS_openat, AT_FDCWD, address("/proc/self/exe"), O_PATH | O_CLOEXEC);
  if (file < 0) return;
  struct statfs found;
  const bool looked = call(SYS_fstatfs, file, address(&found)) == 0;
  const long mount = looked && (found.f_flags & kReadOnly) == 0 ? read_only_mount(file) : -1;
  if (mount >= 0) {
    long* const arguments = stack + 1;
    long* const environment = arguments + stack[0] + 1;
    call(SYS_execveat, mount, address(""), address(arguments), address(environment), AT_EMPTY_PATH);
    call(SYS_close, mount, 0);
  }
  call(SYS_close, file, 0);
}

// The kernel enters with the arguments on the stack, and in %rdx what libc wants to see again.
asm(R"(
  .text
  .globl berth_entry
  .type berth_entry, @function
berth_entry:
  xorl %ebp, %ebp
  movq %rdx, %rbx
  movq %rsp, %r12
  movq %rsp, %rdi
  call berth_seal
  movq %r12, %rsp
  movq %rbx, %rdx
  jmp _start
)");
