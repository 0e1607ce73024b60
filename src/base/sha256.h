// SHA-256 (FIPS 180-4), for keys of caches. The programs on the way of a start don't load a cryptographic
// library for that; blobs, which are big, are hashed with one that is faster.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

class Sha256 {
 public:
  void update(std::string_view data);
  // The digest of all that was given. Of no more use afterwards.
  std::array<uint8_t, 32> finish();

 private:
  void process(const uint8_t* block);
  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> buffer_{};
  uint64_t length_ = 0;
};

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view data);

}  // namespace berth
