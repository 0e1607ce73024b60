// A text as a stream of bytes.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "base/byte_source.h"

namespace berth::test {

class TextSource : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  Result<size_t> read(std::span<std::byte> buffer) override {
    const size_t n = std::min(buffer.size(), text_.size() - at_);
    std::memcpy(buffer.data(), text_.data() + at_, n);
    at_ += n;
    return n;
  }
  [[nodiscard]] size_t given() const { return at_; }

 private:
  std::string text_;
  size_t at_ = 0;
};

}  // namespace berth::test
