// Reads what monitor/log_file.h writes: the entries of a container's log in their order, over all its files,
// and those that are still to come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "monitor/log_entry.h"
#include "store/store.h"
#include "sys/inotify.h"
#include "sys/unique_fd.h"

namespace berth::engine {

class LogReader {
 public:
  // At the oldest entry that is kept. Code::not_found if the container's directory is gone.
  static Result<LogReader> open(const store::Store& store, std::string_view id);

  // To where the last `count` lines begin. A line of a stream is all entries up to one that is not partial,
  // and what has come of the last one.
  Result<> skip_to_tail(uint64_t count);

  // Leaves out files in which nothing has been written since, in nanoseconds since 1970.
  Result<> skip_older_than(int64_t moment);

  // The next entry that is there, valid until the next call; nullopt: none at the moment. Lines that are no
  // entries are left out.
  Result<std::optional<monitor::LogEntry>> next();

  // Whether next() would have to read on to find one.
  [[nodiscard]] bool is_drained() const { return unread_.find('\n', at_) == std::string::npos; }

  // What a crash has left of an entry at the log's end. For when nobody writes it any more.
  std::optional<monitor::LogEntry> cut_entry();

  // Changes in the container's directory.
  [[nodiscard]] const sys::DirectoryWatch& watch() const { return watch_; }
  [[nodiscard]] int directory() const { return directory_.get(); }

 private:
  LogReader(sys::UniqueFd directory, sys::DirectoryWatch watch)
      : directory_(std::move(directory)), watch_(std::move(watch)) {}
  Result<bool> read_more();
  Result<bool> open_next();
  Result<bool> use(sys::UniqueFd file);

  sys::UniqueFd directory_;
  sys::DirectoryWatch watch_;
  sys::UniqueFd file_;
  uint64_t inode_ = 0;  // of the file; 0: none yet
  std::string unread_;
  size_t at_ = 0;  // in unread_
};

}  // namespace berth::engine
