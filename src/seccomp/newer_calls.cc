#include "seccomp/newer_calls.h"

#include <cerrno>
#include <cstddef>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

namespace berth::seccomp {

namespace {

constexpr sock_filter load(size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)};
}
constexpr sock_filter jump(uint16_t comparison, uint32_t value, uint8_t if_true, uint8_t if_false) {
  return {static_cast<uint16_t>(BPF_JMP | comparison | BPF_K), if_true, if_false, value};
}
constexpr sock_filter kUnknown{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS};

// Jumps count the instructions that they skip; each block ends with kUnknown and is left behind it.
void append_block(const KnownCalls& known, std::vector<sock_filter>& program) {
  const sock_filter load_architecture = load(offsetof(seccomp_data, arch));
  const sock_filter load_number = load(offsetof(seccomp_data, nr));
  if (known.architecture == SCMP_ARCH_X32) {
    program.insert(program.end(), {
                                      load_architecture,
                                      jump(BPF_JEQ, AUDIT_ARCH_X86_64, 0, 6),
                                      load_number,
                                      jump(BPF_JGE, kX32Bit, 0, 4),
                                      jump(BPF_JGT, kX32Bit + kLastOldX32Call, 2, 0),
                                      jump(BPF_JGE, kX32Bit + kFirstOldX32Call, 2, 0),
                                      jump(BPF_JGT, kX32Bit + known.highest, 0, 1),
                                      kUnknown,
                                  });
    return;
  }
  program.push_back(load_architecture);
  if (known.architecture == SCMP_ARCH_X86_64) {
    program.insert(program.end(),
                   {jump(BPF_JEQ, known.architecture, 0, 4), load_number, jump(BPF_JGE, kX32Bit, 2, 0)});
  } else {
    program.insert(program.end(), {jump(BPF_JEQ, known.architecture, 0, 3), load_number});
  }
  program.insert(program.end(), {jump(BPF_JGT, known.highest, 0, 1), kUnknown});
}

}  // namespace

std::string refuse_newer_calls(std::span<const KnownCalls> architectures) {
  std::vector<sock_filter> program;
  for (const KnownCalls& known : architectures) append_block(known, program);
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

}  // namespace berth::seccomp
