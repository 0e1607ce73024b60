// The compressions that layers come in: gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of
// frames), none.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::unpack {

enum class Compression { none, gzip, zstd };

// By the first bytes; four are enough to tell. Anything that is neither gzip nor zstd is "none".
Compression detect_compression(std::span<const std::byte> begin);
inline constexpr size_t kMagicLength = 4;
std::string_view name_of(Compression compression);
// "application/vnd.oci.image.layer.v1.tar+gzip".
std::string layer_media_type(Compression compression);

class Decompressor {
 public:
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  virtual ~Decompressor() = default;

  struct Progress {
    size_t consumed = 0;
    size_t produced = 0;
  };
  // Goes on as far as input and room for output allow. No progress at all means that it wants more input.
  virtual Result<Progress> step(std::span<const std::byte> input, std::span<std::byte> output) = 0;
  // After the last input: an error if the stream stops in the middle.
  virtual Result<> finish() = 0;
};

std::unique_ptr<Decompressor> make_decompressor(Compression compression);

}  // namespace berth::unpack
