// Writes tar archives of regular files, as image archives are: ustar, with GNU's large numbers for sizes of 8
// GiB and more. The same files give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"

namespace berth::transfer {

class TarWriter {
 public:
  // The descriptor stays the caller's.
  explicit TarWriter(int fd) : fd_(fd) {}

  // `path` has at most 100 bytes.
  Result<> add(const std::string& path, std::string_view content);
  // A file of exactly `size` bytes; an error if the source gives another number.
  Result<> add(const std::string& path, uint64_t size, ByteSource& source);
  // The end mark.
  Result<> finish();

 private:
  Result<> header(const std::string& path, uint64_t size);
  Result<> pad(uint64_t size);
  int fd_;
};

}  // namespace berth::transfer
