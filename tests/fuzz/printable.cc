// Text from an image or a registry never reaches a terminal raw, and what is printable already stays as it
// is.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string shown = berth::printable({reinterpret_cast<const char*>(data), size});
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) std::abort();
  }
  if (berth::printable(shown) != shown) std::abort();
  return 0;
}
