// WWW-Authenticate headers of hostile registries: no crash, and a bounded result.
#include <cstdint>
#include <cstdlib>

#include "registry/challenge.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto challenges = berth::registry::parse_challenges({reinterpret_cast<const char*>(data), size});
  if (challenges.size() > 16) std::abort();
  for (const auto& challenge : challenges) {
    if (challenge.scheme.empty() || challenge.parameters.size() > 32) std::abort();
  }
  return 0;
}
