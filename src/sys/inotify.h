// Waiting for files to change (inotify(7)).
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// Tells that something has changed, not what: who is told looks again. Names in a directory (made, moved,
// removed) and contents of the files in it alike.
class DirectoryWatch {
 public:
  // `dirfd` and `path` as for openat(2); the directory must be there.
  static Result<DirectoryWatch> open(int dirfd, const std::string& path);
  // Becomes readable with a change since open() or the last take().
  [[nodiscard]] int fd() const { return inotify_.get(); }
  // Forgets what has been told.
  void take() const;
  // Waits for a change and takes it; false if there is none for `timeout_ms` (-1: for ever) or a signal
  // comes.
  [[nodiscard]] bool wait(int timeout_ms) const;

 private:
  explicit DirectoryWatch(UniqueFd inotify) : inotify_(std::move(inotify)) {}
  UniqueFd inotify_;
};

}  // namespace berth::sys
