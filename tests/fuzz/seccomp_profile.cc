// A seccomp profile from a file.
#include "engine/seccomp_profile.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <seccomp.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace berth::engine;
  const SeccompFacts facts{SCMP_ARCH_X86_64, 0xFF, 6, 1};
  const auto profile = parse_seccomp_profile({reinterpret_cast<const char*>(data), size}, facts);
  if (!profile) return 0;
  for (const SeccompRule& rule : profile->rules) {
    if (rule.names.empty() || rule.arguments.size() > 6) std::abort();
    for (const SeccompArgument& argument : rule.arguments) {
      if (argument.index > 5) std::abort();
    }
  }
  return 0;
}
