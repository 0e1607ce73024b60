// What a seccomp profile says, after its conditions have been decided. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::seccomp {

// Longer ones are refused.
inline constexpr size_t kMaxProfileBytes = size_t{1} << 20;
// The names of all rules together: compiling takes time that grows with them.
inline constexpr size_t kMaxNames = 16384;

// One comparison of a system call's argument. With masked_equal, `value` is the mask and `value_two` what is
// left.
struct Argument {
  enum class Operator { not_equal, less, less_or_equal, equal, greater_or_equal, greater, masked_equal };
  unsigned index = 0;  // 0 to 5
  Operator op = Operator::equal;
  uint64_t value = 0;
  uint64_t value_two = 0;
};

struct Rule {
  std::vector<std::string> names;
  uint32_t action = 0;  // SECCOMP_RET_* with its data (linux/seccomp.h), as libseccomp's SCMP_ACT_*
  std::vector<Argument> arguments;  // all of them must hold, each with an index of its own
};

struct Profile {
  uint32_t default_action = 0;
  std::vector<uint32_t> architectures;  // libseccomp's tokens (SCMP_ARCH_*), beside the native one
  std::vector<Rule> rules;
  // SECCOMP_FILTER_FLAG_* for seccomp(2); with NEW_LISTENER where an action is SCMP_ACT_NOTIFY.
  uint32_t flags = 0;
  // Names that the profile has decided about, beside those of its rules. If not empty, system calls with a
  // higher number than all of those and the rules' are newer than the profile: they fail with ENOSYS, as on a
  // kernel that does not have them, so that programs fall back to older ones.
  std::vector<std::string> also_known;
};

// What conditions of a profile ask about.
struct Facts {
  uint32_t native = 0;        // SCMP_ARCH_* of the host
  uint64_t capabilities = 0;  // the container's bounding set
  unsigned kernel_major = 0;
  unsigned kernel_minor = 0;
  bool agent = false;  // not of the profile's asking: somebody is there who answers for SCMP_ACT_NOTIFY
};
Facts facts_of_host(uint64_t capabilities);

// The architectures of the 32-bit and other system calls that the kernel of `native` takes too.
std::vector<uint32_t> seccomp_sub_architectures(uint32_t native);

// Reads a profile in Docker's format (names, includes, excludes, archMap, minKernel, errno by name) or the
// runtime specification's (architectures, flags). Rules whose conditions do not hold are left out.
// Code::refused: not JSON, an unknown action, operator, architecture or flag, a value out of range,
// SCMP_ACT_NOTIFY without an agent.
Result<Profile> parse_profile(std::string_view text, const Facts& facts);

// What parse_profile() knows, by the names that the runtime specification has for them.
std::vector<std::string> action_names();        // "SCMP_ACT_ALLOW"
std::vector<std::string> operator_names();      // "SCMP_CMP_EQ"
std::vector<std::string> architecture_names();  // "SCMP_ARCH_X86_64"
std::vector<std::string> flag_names();          // "SECCOMP_FILTER_FLAG_LOG"
// Those flags that the running kernel takes too.
std::vector<std::string> usable_flag_names();

}  // namespace berth::seccomp
