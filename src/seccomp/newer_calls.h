// The first instructions of a filter: system calls that came after the profile fail with ENOSYS. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace berth::seccomp {

// On x32 the number of a call has this bit, and 512 to 547 are calls as old as x32 itself.
inline constexpr uint32_t kX32Bit = 0x40000000;
inline constexpr uint32_t kFirstOldX32Call = 512;
inline constexpr uint32_t kLastOldX32Call = 547;

struct KnownCalls {
  uint32_t architecture = 0;  // SCMP_ARCH_*
  uint32_t highest = 0;       // the highest number that the profile knows, without kX32Bit
};

// struct sock_filter[] that returns ENOSYS or goes on to what is put behind it.
std::string refuse_newer_calls(std::span<const KnownCalls> architectures);

}  // namespace berth::seccomp
