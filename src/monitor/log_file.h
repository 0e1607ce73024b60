// The container's log: one line a write, "<RFC 3339 time> stdout|stderr F|P <text>", where P says that the
// line goes on in the next entry. The format that Kubernetes' tools read.
#pragma once

#include <string>
#include <string_view>

#include "sys/unique_fd.h"

namespace berth::monitor {

class LogFile {
 public:
  // Takes an open file, in append mode.
  explicit LogFile(sys::UniqueFd file) : file_(std::move(file)) {}

  // Adds output as it came. What does not end in a newline is kept as a partial entry. A log that can't be
  // written (a full disk) is given up silently: the container goes on.
  void append(std::string_view stream, std::string_view bytes);

 private:
  sys::UniqueFd file_;
};

}  // namespace berth::monitor
