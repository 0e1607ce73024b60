// Writes a container's log: entries of log_entry.h, in files of a bounded size.
//
//   log     the newest
//   log.1   what was "log" before that was put aside, log.2 the one before it, and so on
//
// A file is put aside between two entries, so what follows one another in the files follows one another in
// the log.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "monitor/log_entry.h"
#include "monitor/log_options.h"
#include "sys/unique_fd.h"

namespace berth::monitor {

// "log", "log.1", … in the container's directory; 0 is the newest.
std::string log_file_name(uint32_t age);

class LogFile {
 public:
  // The log in a container's directory, made if need be; an older one goes on. `directory` must live as long.
  // A log that can't be opened is as one that can't be written.
  LogFile(int directory, LogOptions options);

  // Adds output as it came, in one write(2) of large pieces. What does not end in a newline is a partial
  // entry. What can't be written (a full disk) is counted and left out: the container goes on. As soon as
  // there is room an entry on stderr says how many bytes were lost.
  void append(Stream stream, std::string_view bytes);

  // Says what has been lost, if that has not been said. The log is at its end.
  void finish();

 private:
  void open();
  void put_aside();
  void add_entry(std::string_view prefix, std::string_view text, bool partial);
  void flush();
  // Gives how many bytes of it are on file now, all of them whole entries.
  size_t write_entries(std::string_view entries);
  void drop(std::string_view entries);
  bool say_what_was_lost();
  void note_open_line(std::string_view entries);

  int directory_;
  LogOptions options_;
  sys::UniqueFd file_;
  uint64_t size_ = 0;
  LogClock clock_;
  std::string entries_;                 // to be written
  uint64_t lost_ = 0;                   // bytes of the container's that no entry has told of
  int lost_why_ = 0;                    // errno
  std::array<bool, 2> line_is_open_{};  // by stream: the last entry on file was a partial one
};

}  // namespace berth::monitor
