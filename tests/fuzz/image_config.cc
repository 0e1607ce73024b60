// Image configurations: no crash, and writing out and reading again changes nothing.
#include "oci/image_config.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = berth::oci::parse_image_config({reinterpret_cast<const char*>(data), size});
  if (!config) return 0;
  const auto text = berth::oci::emit_image_config(*config);
  if (!text) std::abort();
  const auto again = berth::oci::parse_image_config(*text);
  if (!again || again->env != config->env || again->diff_ids != config->diff_ids) std::abort();
  if (*berth::oci::emit_image_config(*again) != *text) std::abort();
  return 0;
}
