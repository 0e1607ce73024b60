#include "sys/capabilities.h"

#include <array>
#include <cerrno>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::sys {

namespace {
constexpr int kBits = 64;
}

Result<> limit_bounding_set(uint64_t mask) {
  for (int cap = 0; cap < kBits; ++cap) {
    if ((mask >> cap & 1U) != 0) continue;
    const int present = ::prctl(PR_CAPBSET_READ, cap);
    if (present < 0) return {};  // EINVAL: past the last capability that this kernel has
    if (present == 1 && ::prctl(PR_CAPBSET_DROP, cap) != 0)
      return fail_errno(errno, "drop capability {}", cap);
  }
  return {};
}

uint64_t own_bounding_set() {
  uint64_t set = 0;
  for (int cap = 0; cap < kBits; ++cap) {
    const int present = ::prctl(PR_CAPBSET_READ, cap);
    if (present < 0) break;
    if (present == 1) set |= uint64_t{1} << cap;
  }
  return set;
}

Result<> set_capabilities(const CapabilitySets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = [](uint64_t set) { return static_cast<uint32_t>(set); };
  const auto high = [](uint64_t set) { return static_cast<uint32_t>(set >> 32); };
  std::array<__user_cap_data_struct, 2> data{{
      {low(sets.effective), low(sets.permitted), low(sets.inheritable)},
      {high(sets.effective), high(sets.permitted), high(sets.inheritable)},
  }};
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return fail_errno(errno, "clear the ambient capabilities");
  }
  if (::syscall(SYS_capset, &header, data.data()) != 0) return fail_errno(errno, "set the capabilities");
  for (int cap = 0; cap < kBits; ++cap) {
    if ((sets.ambient >> cap & 1U) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0) {
      return fail_errno(errno, "raise the ambient capability {}", cap);
    }
  }
  return {};
}

Result<> keep_capabilities_over_setuid() {
  if (::prctl(PR_SET_KEEPCAPS, 1) != 0)
    return fail_errno(errno, "keep the capabilities over a change of user");
  return {};
}

}  // namespace berth::sys
