// The compressed side of an unpack: reads a source, holds it against what is expected of it, keeps the blob.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/byte_source.h"
#include "base/error.h"
#include "sys/unique_fd.h"
#include "unpack/gzip_compressor.h"
#include "unpack/sha256.h"
#include "unpack/unpack_layer.h"

namespace berth::unpack {

// A file that is written from its beginning, and its digest.
class BlobWriter {
 public:
  explicit BlobWriter(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  Result<> write(std::span<const std::byte> data);
  [[nodiscard]] uint64_t size() const { return size_; }
  // After the last write.
  std::string digest() { return sha_.digest(); }

 private:
  sys::UniqueFd fd_;
  Sha256 sha_;
  uint64_t size_ = 0;
};

// Reads the source and writes what it gives, or a compressed form of it, to the blob file.
class BlobReader {
 public:
  BlobReader(ByteSource& source, const LayerExpectation& expected, sys::UniqueFd blob_file);

  // The next bytes of the source; empty at the end, where the size is checked. Good until the next call.
  Result<std::span<const std::byte>> read();
  // After the end: checks the digest, completes the file.
  struct Blob {
    std::string digest;
    uint64_t size = 0;
    bool compressed_here = false;
  };
  Result<Blob> finish();

  // After the data turned out to be damaged: whether the reason is that they are not what was announced.
  // Reads on, but not further than it is worth.
  Result<> explain_damage(Error damage);

 private:
  ByteSource& source_;
  const LayerExpectation& expected_;
  BlobWriter writer_;
  std::unique_ptr<GzipCompressor> compressor_;
  std::vector<std::byte> buffer_;
  uint64_t received_ = 0;
  bool at_end_ = false;
  bool decided_ = false;
};

}  // namespace berth::unpack
