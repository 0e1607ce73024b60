// A seccomp profile from a file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <seccomp.h>

#include "seccomp/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace berth::seccomp;
  const Facts facts{SCMP_ARCH_X86_64, 0xFF, 6, 1};
  const auto profile = parse_profile({reinterpret_cast<const char*>(data), size}, facts);
  if (!profile) return 0;
  for (const Rule& rule : profile->rules) {
    if (rule.names.empty() || rule.arguments.size() > 6) std::abort();
    for (const Argument& argument : rule.arguments) {
      if (argument.index > 5) std::abort();
    }
  }
  return 0;
}
