// A stream of bytes that is read to its end: a download, a file, standard input.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.h"

namespace berth {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  // Reads at least one and at most buffer.size() bytes; 0 at the end. After an error the source is of no more
  // use.
  virtual Result<size_t> read(std::span<std::byte> buffer) = 0;
};

}  // namespace berth
