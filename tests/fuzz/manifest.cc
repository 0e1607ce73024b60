// Manifests and indexes: no crash, and what is accepted is written out in a form that is accepted again.
#include "oci/manifest.h"

#include <cstdint>
#include <cstdlib>

namespace {

void check(const berth::oci::Manifest& manifest) {
  const auto text = berth::oci::emit_manifest(manifest);
  if (!text || !berth::oci::parse_manifest(*text, manifest.media_type)) std::abort();
  if (manifest.layers.size() > berth::oci::kMaxLayers) std::abort();
}

void check(const berth::oci::Index& index) {
  const auto text = berth::oci::emit_index(index);
  if (!text || !berth::oci::parse_index(*text, index.media_type)) std::abort();
  [[maybe_unused]] const auto chosen = berth::oci::choose(index, berth::oci::host_platform());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto document = berth::oci::parse_manifest_or_index({reinterpret_cast<const char*>(data), size});
  if (document) std::visit([](const auto& parsed) { check(parsed); }, *document);
  return 0;
}
