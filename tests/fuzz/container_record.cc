// A container's record in the store: what is read from it is what is written again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/container/container_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace berth::engine;
  const auto spec = container_spec_from_json({reinterpret_cast<const char*>(data), size});
  if (!spec) return 0;
  const auto written = to_json(*spec);
  if (!written) std::abort();  // JSON is UTF-8 wherever it comes from
  const auto again = container_spec_from_json(*written);
  if (!again || to_json(*again).value() != *written) std::abort();
  return 0;
}
