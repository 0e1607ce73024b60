// A file, or a part of one, as a stream.
#pragma once

#include <cstdint>
#include <limits>

#include "base/byte_source.h"
#include "sys/unique_fd.h"

namespace berth::transfer {

class FileSource : public ByteSource {
 public:
  // From the current position to the end.
  explicit FileSource(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  sys::UniqueFd fd_;
};

// `length` bytes from `offset` on, by pread(2): any number of them may read one file. The descriptor is the
// caller's and outlives the source.
class FilePart : public ByteSource {
 public:
  FilePart(int fd, uint64_t offset, uint64_t length) : fd_(fd), offset_(offset), left_(length) {}
  Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
  uint64_t offset_;
  uint64_t left_;
};

}  // namespace berth::transfer
