#include "registry/hash.h"

#include <array>

#include <openssl/evp.h>

namespace berth::registry {

Result<oci::Digest> digest_of(std::string_view bytes, oci::Digest::Algorithm algorithm) {
  std::array<std::byte, 64> hash{};
  auto* out = reinterpret_cast<unsigned char*>(hash.data());
  const bool sha256 = algorithm == oci::Digest::Algorithm::sha256;
  if (EVP_Digest(bytes.data(), bytes.size(), out, nullptr, sha256 ? EVP_sha256() : EVP_sha512(), nullptr) !=
      1) {
    return fail("libcrypto could not compute a digest");
  }
  if (sha256) return oci::Digest::sha256(std::span(hash).first<32>());
  return oci::Digest::sha512(hash);
}

}  // namespace berth::registry
