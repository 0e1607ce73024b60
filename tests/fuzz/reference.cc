// Whatever is accepted as a reference stays itself when it is written out and read again, in full and in
// short.
#include "oci/reference.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reference = berth::oci::Reference::parse(text);
  if (!reference) return 0;
  const auto full = berth::oci::Reference::parse(reference->full());
  const auto familiar = berth::oci::Reference::parse(reference->familiar());
  if (!full || !familiar || !(*full == *reference) || !(*familiar == *reference)) std::abort();
  if (reference->repository().find("..") != std::string::npos) std::abort();
  return 0;
}
