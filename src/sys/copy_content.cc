#include "sys/copy_content.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace berth::sys {

namespace {

Result<> read_and_write(int from, int to, off_t begin, size_t length) {
  thread_local std::vector<char> buffer(size_t{128} << 10);
  while (length > 0) {
    const ssize_t n = ::pread(from, buffer.data(), std::min(buffer.size(), length), begin);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read");
    if (n == 0) return fail("it has become shorter");
    for (ssize_t done = 0; done < n;) {
      const ssize_t written = ::pwrite(to, buffer.data() + done, static_cast<size_t>(n - done), begin + done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail_errno(errno, "write");
      done += written;
    }
    begin += n;
    length -= static_cast<size_t>(n);
  }
  return {};
}

// As many bytes at a time as are copied in a moment, so that an interruption does not wait long.
Result<> copy_range(int from, int to, off_t begin, off_t end, const std::function<bool()>& interrupted) {
  constexpr off_t kSmall = off_t{64} << 10;  // two calls are as good as one, and cheaper for the kernel
  constexpr off_t kAtOnce = off_t{16} << 20;
  while (begin < end) {
    if (interrupted && interrupted()) return fail("interrupted");
    const auto length = static_cast<size_t>(std::min(end - begin, kAtOnce));
    off_t in = begin;
    off_t out = begin;
    const ssize_t n = end - begin <= kSmall ? -1 : ::copy_file_range(from, &in, to, &out, length, 0);
    if (n > 0) {
      begin += n;
      continue;
    }
    if (n < 0 && end - begin > kSmall && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
      return fail_errno(errno, "copy");
    // A file system or a kernel that does not know it.
    TRY(read_and_write(from, to, begin, length));
    begin += static_cast<off_t>(length);
  }
  return {};
}

}  // namespace

Result<> copy_content(int from, int to, const struct stat& attributes,
                      const std::function<bool()>& interrupted) {
  const off_t size = attributes.st_size;
  if (size == 0) return {};
  constexpr off_t kPage = 4096;
  if (size > kPage && ::ioctl(to, FICLONE, from) == 0) return {};
  constexpr off_t kBlock = 512;
  const bool has_holes = attributes.st_blocks * kBlock < size;
  if (!has_holes) return copy_range(from, to, 0, size, interrupted);
  if (::ftruncate(to, size) != 0) return fail_errno(errno, "set the size");
  for (off_t begin = 0; begin < size;) {
    const off_t data = ::lseek(from, begin, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return {};  // only a hole is left
    // A file system that knows no holes has data everywhere.
    if (data < 0) return copy_range(from, to, begin, size, interrupted);
    const off_t hole = ::lseek(from, data, SEEK_HOLE);
    const off_t end = hole < 0 ? size : std::min(hole, size);
    TRY(copy_range(from, to, data, end, interrupted));
    begin = end;
  }
  return {};
}

}  // namespace berth::sys
