#include "monitor/log_file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/protocol.h"
#include "sys/file.h"

namespace berth::monitor {

namespace {

// So much is put together before it is written.
constexpr size_t kBatch = size_t{256} << 10;

size_t index_of(Stream stream) {
  return stream == Stream::error ? 1 : 0;
}

std::string_view name_of(Stream stream) {
  return stream == Stream::error ? " stderr " : " stdout ";
}

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

bool ends_in_a_line(int file, uint64_t size) {
  char last = '\n';
  return size == 0 || ::pread(file, &last, 1, static_cast<off_t>(size - 1)) != 1 || last == '\n';
}

}  // namespace

std::string log_file_name(uint32_t age) {
  return age == 0 ? kLogFile : fmt::format("{}.{}", kLogFile, age);
}

LogFile::LogFile(int directory, LogOptions options) : directory_(directory), options_(options) {
  if (options_.keep) open();
}

void LogFile::open() {
  constexpr int kFlags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;
  Result<sys::UniqueFd> file = sys::open_at(directory_, kLogFile, kFlags, 0600);
  if (!file) {
    lost_why_ = file.error().err;
    return;
  }
  file_ = std::move(*file);
  struct stat st{};
  size_ = ::fstat(file_.get(), &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
  // What a crash has cut stays as it is, and the next entry is on a line of its own.
  if (!ends_in_a_line(file_.get(), size_)) write_entries("\n");
}

void LogFile::put_aside() {
  for (uint32_t age = options_.max_files - 1; age > 0; --age)
    ::renameat(directory_, log_file_name(age - 1).c_str(), directory_, log_file_name(age).c_str());
  if (options_.max_files == 1) ::unlinkat(directory_, kLogFile, 0);
  // If it can't be put aside it grows.
  sys::UniqueFd before = std::move(file_);
  open();
  if (!file_) file_ = std::move(before);
}

void LogFile::append(Stream stream, std::string_view bytes) {
  if (!options_.keep) return;
  const std::string prefix = fmt::format("{}{}", clock_.text(now()), name_of(stream));
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const bool whole = newline != std::string_view::npos;
    add_entry(prefix, bytes.substr(0, newline), !whole);
    bytes.remove_prefix(whole ? newline + 1 : bytes.size());
  }
  flush();
}

void LogFile::add_entry(std::string_view prefix, std::string_view text, bool partial) {
  constexpr size_t kAround = 3;  // "F " and a line's end
  const size_t length = prefix.size() + text.size() + kAround;
  const uint64_t room = options_.max_size == 0 ? kBatch : std::min<uint64_t>(kBatch, options_.max_size);
  if (!entries_.empty() && entries_.size() + length > room) flush();
  entries_ += prefix;
  entries_ += partial ? "P " : "F ";
  entries_ += text;
  entries_ += '\n';
}

void LogFile::flush() {
  if (entries_.empty()) return;
  const bool is_full = options_.max_size != 0 && size_ > 0 && size_ + entries_.size() > options_.max_size;
  if (is_full) put_aside();
  if (!file_) open();
  const bool has_room = lost_ == 0 || say_what_was_lost();
  const size_t written = has_room && file_ ? write_entries(entries_) : 0;
  const std::string_view all = entries_;
  note_open_line(all.substr(0, written));
  drop(all.substr(written));
  entries_.clear();
}

size_t LogFile::write_entries(std::string_view entries) {
  size_t done = 0;
  while (done < entries.size()) {
    const ssize_t n = ::write(file_.get(), entries.data() + done, entries.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      lost_why_ = n < 0 ? errno : ENOSPC;
      break;
    }
    done += static_cast<size_t>(n);
  }
  if (done == entries.size()) {
    size_ += done;
    return done;
  }
  // Only whole entries stay.
  const size_t end = done == 0 ? std::string_view::npos : entries.rfind('\n', done - 1);
  const size_t whole = end == std::string_view::npos ? 0 : end + 1;
  size_ += whole;
  if (whole != done && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) size_ += done - whole;
  return whole;
}

// Which streams' lines go on: what an entry means that is on file depends on the one before it.
void LogFile::note_open_line(std::string_view entries) {
  for (const Stream stream : {Stream::output, Stream::error}) {
    // Entries come one stream at a time.
    if (entries.substr(std::min(entries.size(), kLogTimeLength)).starts_with(name_of(stream))) {
      const size_t before =
          entries.size() < 2 ? std::string_view::npos : entries.rfind('\n', entries.size() - 2);
      const auto last = parse_log_entry(entries.substr(before + 1, entries.size() - before - 2));
      line_is_open_[index_of(stream)] = last && last->partial;
    }
  }
}

void LogFile::drop(std::string_view entries) {
  while (!entries.empty()) {
    const size_t end = entries.find('\n');
    if (const auto entry = parse_log_entry(entries.substr(0, end)))
      lost_ += entry->text.size() + (entry->partial ? 0 : 1);
    entries.remove_prefix(end == std::string_view::npos ? entries.size() : end + 1);
  }
}

bool LogFile::say_what_was_lost() {
  if (!file_) return false;
  const std::string time(clock_.text(now()));
  std::string notice;
  // What comes next does not go on where the log breaks off.
  for (const Stream stream : {Stream::output, Stream::error}) {
    if (line_is_open_[index_of(stream)]) notice += fmt::format("{}{}F \n", time, name_of(stream));
  }
  notice += fmt::format("{}{}F berth: {} bytes were lost here: the log could not be written: {}\n", time,
                        name_of(Stream::error), lost_, describe_errno(lost_why_));
  if (write_entries(notice) != notice.size()) return false;
  lost_ = 0;
  line_is_open_ = {};
  return true;
}

void LogFile::finish() {
  if (options_.keep && lost_ != 0) {
    if (!file_) open();
    [[maybe_unused]] const bool said = say_what_was_lost();
  }
}

}  // namespace berth::monitor
