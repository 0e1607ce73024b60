#include "transfer/tar_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "transfer/pax_header.h"

namespace berth::transfer {

size_t TarStream::read_ready(std::span<std::byte> buffer) {
  const size_t length = std::min(buffer.size(), ready_.size() - ready_done_);
  std::memcpy(buffer.data(), ready_.data() + ready_done_, length);
  ready_done_ += length;
  if (ready_done_ == ready_.size()) {
    ready_.clear();
    ready_done_ = 0;
  }
  return length;
}

Result<bool> TarStream::begin_next() {
  file_ = TRY(files_->next());
  if (!file_) {
    ready_ = archive_end();
    ended_ = true;
    return false;
  }
  unpack::TarEntry& entry = file_->entry;
  if (file_->text) {
    entry.size = file_->text->size();
    entry.sparse = false;
    entry.segments.clear();
  }
  ready_ = TRY(archive_header(entry));
  const uint64_t bytes = archived_bytes(entry);
  if (file_->text) {
    ready_ += *file_->text;
    ready_.resize(ready_.size() + archive_padding(bytes));
    entry.size = 0;
    padding_ = 0;
  } else {
    padding_ = archive_padding(bytes);
  }
  if (!entry.sparse) entry.segments = {{0, entry.type == unpack::EntryType::file ? entry.size : 0}};
  segment_ = 0;
  segment_done_ = 0;
  return true;
}

Result<size_t> TarStream::read_data(std::span<std::byte> buffer) {
  const std::vector<unpack::Segment>& segments = file_->entry.segments;
  while (segment_ < segments.size() && segment_done_ == segments[segment_].length) {
    ++segment_;
    segment_done_ = 0;
  }
  if (segment_ == segments.size()) return 0;
  const unpack::Segment& segment = segments[segment_];
  const size_t wanted =
      static_cast<size_t>(std::min<uint64_t>(buffer.size(), segment.length - segment_done_));
  ssize_t n = 0;
  do {
    n = ::pread(file_->data.get(), buffer.data(), wanted, static_cast<off_t>(segment.offset + segment_done_));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno(errno, "read /{}", file_->entry.path);
  if (n == 0) {
    std::memset(buffer.data(), 0, wanted);
    n = static_cast<ssize_t>(wanted);
  }
  segment_done_ += static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

Result<size_t> TarStream::read(std::span<std::byte> buffer) {
  while (true) {
    if (!ready_.empty()) return read_ready(buffer);
    if (ended_) return 0;
    if (file_) {
      const size_t n = TRY(read_data(buffer));
      if (n > 0) return n;
      file_.reset();
      ready_.assign(static_cast<size_t>(padding_), '\0');
      if (!ready_.empty()) continue;
    }
    TRY(begin_next());
  }
}

}  // namespace berth::transfer
