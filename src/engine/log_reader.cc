#include "engine/log_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/container/status.h"
#include "monitor/log_file.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kBlock = size_t{256} << 10;
// Of an entry: what comes in one piece from a container, and what stands before it. A longer line is none.
constexpr size_t kLongestEntry = size_t{16} << 20;

Result<struct stat> stat_of(int file) {
  return sys::stat_at(file, "", AT_EMPTY_PATH);
}

// 0 if there is no such file.
uint64_t inode_of(int directory, uint32_t age) {
  const Result<struct stat> st = sys::stat_at(directory, monitor::log_file_name(age), AT_SYMLINK_NOFOLLOW);
  return st ? st->st_ino : 0;
}

// The age of the file with this inode.
std::optional<uint32_t> age_of(int directory, uint64_t inode) {
  for (uint32_t age = 0; age < monitor::kMostLogFiles; ++age) {
    const uint64_t found = inode_of(directory, age);
    if (found == inode) return age;
    // While the files are renamed there is one place without a file.
    if (found == 0 && inode_of(directory, age + 1) == 0) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<uint32_t> oldest(int directory) {
  std::optional<uint32_t> last;
  for (uint32_t age = 0; age < monitor::kMostLogFiles; ++age) {
    if (inode_of(directory, age) != 0) {
      last = age;
    } else if (age > 0) {
      break;
    }
  }
  return last;
}

Result<sys::UniqueFd> open_log_file(int directory, uint32_t age) {
  return sys::open_at(directory, monitor::log_file_name(age), O_RDONLY | O_NOFOLLOW);
}

// Goes through a log's lines from its end.
class TailScan {
 public:
  explicit TailScan(uint64_t count) : left_(count) {}

  // Where in this file the tail begins; nullopt: before it. Files come from the newest to the oldest.
  Result<std::optional<uint64_t>> begin_in(int file) {
    const auto size = static_cast<uint64_t>(TRY(stat_of(file)).st_size);
    uint64_t begin_of_later = size;
    for (uint64_t end = size; end > 0;) {
      const uint64_t begin = end - std::min<uint64_t>(end, kBlock);
      const std::string_view block = TRY(read_block(file, begin, end));
      const auto length = static_cast<size_t>(end - begin);
      for (size_t at = length; at > 0; --at) {
        const void* found = ::memrchr(block.data(), '\n', at);
        at = found == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(found) - block.data()) + 1;
        const uint64_t line = begin + at;
        if (at == 0 && begin != 0) break;
        if (line < size && takes(block.substr(at))) return begin_of_later;
        begin_of_later = std::min(begin_of_later, line);
        if (at == 0) break;
      }
      end = begin;
    }
    return std::nullopt;
  }

 private:
  // Of the line that begins here: whether it ends one that is before the tail.
  bool takes(std::string_view line) {
    const auto entry = monitor::parse_log_entry(line);
    if (!entry) return false;
    bool& later = later_[entry->stream == monitor::Stream::error ? 1 : 0];
    const bool ends_a_line = !entry->partial || !later;
    later = true;
    if (!ends_a_line) return false;
    if (left_ == 0) return true;
    --left_;
    return false;
  }

  // With the head of a line that begins at its very end.
  Result<std::string_view> read_block(int file, uint64_t begin, uint64_t end) {
    constexpr size_t kHead = 64;
    buffer_.resize(static_cast<size_t>(end - begin) + kHead);
    size_t done = 0;
    while (done < buffer_.size()) {
      const ssize_t n =
          ::pread(file, buffer_.data() + done, buffer_.size() - done, static_cast<off_t>(begin + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(errno, "read the log");
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    buffer_.resize(done);
    // A file that has become shorter meanwhile.
    if (done < end - begin) return fail("the log has been cut while it was read");
    return buffer_;
  }

  uint64_t left_;
  std::array<bool, 2> later_{};  // by stream: there is an entry behind
  std::string buffer_;
};

}  // namespace

Result<LogReader> LogReader::open(const store::Store& store, std::string_view id) {
  const std::string path = container_directory(id);
  Result<sys::UniqueFd> directory = sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory && directory.error().err == ENOENT)
    return fail(Code::not_found, "the container has been removed meanwhile");
  if (!directory) return std::unexpected(directory.error());
  return LogReader(std::move(*directory), TRY(sys::DirectoryWatch::open(store.root(), path)));
}

Result<bool> LogReader::use(sys::UniqueFd file) {
  inode_ = TRY(stat_of(file.get())).st_ino;
  file_ = std::move(file);
  unread_.clear();
  at_ = 0;
  return true;
}

// The file after the present one, or the oldest if that is gone. Files are renamed from the oldest to the
// newest, so one that is still at its place after the next was opened was that one's predecessor.
Result<bool> LogReader::open_next() {
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto own = inode_ == 0 ? std::nullopt : age_of(directory_.get(), inode_);
    if (own == 0) return false;
    const auto age = own ? std::optional(*own - 1) : oldest(directory_.get());
    if (!age) return false;
    Result<sys::UniqueFd> file = open_log_file(directory_.get(), *age);
    if (!file && file.error().err == ENOENT) return false;
    if (!file) return std::unexpected(file.error());
    const bool still = own ? inode_of(directory_.get(), *own) == inode_ : oldest(directory_.get()) == age;
    if (still) return use(std::move(*file));
  }
  return false;
}

Result<> LogReader::skip_to_tail(uint64_t count) {
  TailScan scan(count);
  for (uint32_t age = 0; age < monitor::kMostLogFiles; ++age) {
    Result<sys::UniqueFd> file = open_log_file(directory_.get(), age);
    if (!file && file.error().err == ENOENT) return {};
    if (!file) return std::unexpected(file.error());
    const std::optional<uint64_t> begin = TRY(scan.begin_in(file->get()));
    TRY(use(std::move(*file)));
    if (!begin) continue;
    if (::lseek(file_.get(), static_cast<off_t>(*begin), SEEK_SET) < 0)
      return fail_errno(errno, "read the log");
    return {};
  }
  return {};
}

Result<> LogReader::skip_older_than(int64_t moment) {
  if (inode_ != 0) return {};
  while (TRY(open_next())) {
    const struct stat st = TRY(stat_of(file_.get()));
    if (st.st_mtim.tv_sec * kNanoseconds + st.st_mtim.tv_nsec >= moment) return {};
  }
  return {};
}

Result<bool> LogReader::read_more() {
  if (!file_) return false;
  unread_.erase(0, at_);
  at_ = 0;
  if (unread_.size() > kLongestEntry) unread_.clear();
  const size_t before = unread_.size();
  ssize_t n = 0;
  unread_.resize_and_overwrite(before + kBlock, [&](char* bytes, size_t /*size*/) {
    do {
      n = ::read(file_.get(), bytes + before, kBlock);
    } while (n < 0 && errno == EINTR);
    return before + static_cast<size_t>(std::max<ssize_t>(n, 0));
  });
  if (n < 0) return fail_errno(errno, "read the log");
  return n > 0;
}

Result<std::optional<monitor::LogEntry>> LogReader::next() {
  while (true) {
    const size_t end = unread_.find('\n', at_);
    if (end != std::string::npos) {
      const auto entry = monitor::parse_log_entry(std::string_view(unread_).substr(at_, end - at_));
      at_ = end + 1;
      if (entry) return entry;
      continue;
    }
    if (TRY(read_more())) continue;
    // Once it is put aside nothing more comes to it, so a last look finds all of it.
    const bool put_aside = file_ && inode_of(directory_.get(), 0) != inode_;
    if (put_aside && TRY(read_more())) continue;
    if (!TRY(open_next())) return std::nullopt;
  }
}

std::optional<monitor::LogEntry> LogReader::cut_entry() {
  const auto entry = monitor::parse_log_entry(std::string_view(unread_).substr(at_));
  at_ = unread_.size();
  if (entry) return entry;
  return std::nullopt;
}

}  // namespace berth::engine
