#include "unpack/sha256.h"

#include <array>
#include <new>

#include <openssl/evp.h>

namespace berth::unpack {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

// The calls below fail only when memory runs out: SHA-256 is in every libcrypto.
Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

void Sha256::update(std::span<const std::byte> data) {
  if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1) throw std::bad_alloc();
}

std::string Sha256::digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(context_.get(), bytes.data(), &length) != 1) throw std::bad_alloc();
  std::string text = "sha256:";
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string sha256_digest(std::string_view data) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(data)));
  return sha.digest();
}

}  // namespace berth::unpack
