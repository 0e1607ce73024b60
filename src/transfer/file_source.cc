#include "transfer/file_source.h"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace berth::transfer {

Result<size_t> FileSource::read(std::span<std::byte> buffer) {
  while (true) {
    const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return fail_errno(errno, "read");
  }
}

Result<size_t> FilePart::read(std::span<std::byte> buffer) {
  const size_t wanted = std::min<uint64_t>(buffer.size(), left_);
  if (wanted == 0) return 0;
  while (true) {
    const ssize_t n = ::pread(fd_, buffer.data(), wanted, static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read");
    if (n == 0) return fail(Code::refused, "the file became shorter while it was read");
    offset_ += static_cast<uint64_t>(n);
    left_ -= static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }
}

}  // namespace berth::transfer
