// Linux system calls without a C library, and the entry point that the kernel jumps to.
#pragma once

// The result is negative on failure: -errno.
inline long raw_system_call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "berth-init knows x86-64 and aarch64"
#endif
}

inline long as_word(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}
inline long as_word(decltype(nullptr)) {
  return 0;
}
template <typename T>
  requires(__is_enum(T) || __is_same(T, int) || __is_same(T, long) || __is_same(T, unsigned) ||
           __is_same(T, unsigned long))
inline long as_word(T number) {
  return static_cast<long>(number);
}

template <typename A = long, typename B = long, typename C = long, typename D = long, typename E = long>
inline long system_call(long number, A a = {}, B b = {}, C c = {}, D d = {}, E e = {}) {
  return raw_system_call(number, as_word(a), as_word(b), as_word(c), as_word(d), as_word(e));
}

extern "C" [[noreturn]] void berth_init_main(long* stack);

#if defined(__x86_64__)
asm(".text\n.global _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call "
    "berth_init_main\n  hlt\n");
#elif defined(__aarch64__)
asm(".text\n.global _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl berth_init_main\n  brk "
    "#1\n");
#endif
