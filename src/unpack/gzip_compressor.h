// gzip, fast rather than small: for layers that came uncompressed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"

struct isal_zstream;

namespace berth::unpack {

class GzipCompressor {
 public:
  // Receives the compressed bytes, piece by piece.
  using Sink = std::function<Result<>(std::span<const std::byte>)>;

  explicit GzipCompressor(Sink sink);
  ~GzipCompressor();
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  Result<> write(std::span<const std::byte> data) { return run(data, false); }
  // Ends the stream. The object is of no more use.
  Result<> finish() { return run({}, true); }

 private:
  Result<> run(std::span<const std::byte> data, bool last);
  Sink sink_;
  std::unique_ptr<isal_zstream> stream_;
  std::vector<std::byte> level_buffer_;
  std::vector<std::byte> output_;
};

}  // namespace berth::unpack
