// An instruction of a Dockerfile, for an image's configuration.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transfer/config_change.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  berth::oci::ImageConfig config;
  if (!berth::transfer::apply_change(config, text)) return 0;
  const auto document = berth::oci::emit_image_config(config);
  // What can be written can be read again.
  if (document && !berth::oci::parse_image_config(*document)) std::abort();
  return 0;
}
