// The only door from a path that an image or a container controls to a file descriptor.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::safepath {

// A directory that stands for "/" of an untrusted tree. Paths are resolved as if one had chrooted into it:
// absolute links start at it again and ".." does not leave it (openat2(2), RESOLVE_IN_ROOT), and links of
// /proc are never followed (RESOLVE_NO_MAGICLINKS). Results hold at the time of the call; act on the
// descriptor, not on the path again.
class Root {
 public:
  explicit Root(sys::UniqueFd dir) : dir_(std::move(dir)) {}
  // Opens a directory of berth's own as a root.
  static Result<Root> open(int dirfd, const std::string& path);

  [[nodiscard]] int fd() const { return dir_.get(); }

  // Opens an existing `path`. A link as the last part is followed, inside the root, unless O_NOFOLLOW is
  // given.
  [[nodiscard]] Result<sys::UniqueFd> open(std::string_view path, int flags) const;

  // Opens a regular file for reading and reads it, with O_NONBLOCK against FIFOs: anything that is not a
  // regular file, or is longer than `limit` bytes, is refused. Errors keep errno (ENOENT tells "not there").
  [[nodiscard]] Result<std::string> read_file(std::string_view path, size_t limit) const;

  // The directory `path`, made with all its missing parents (mode 0755, owned by the caller). O_PATH
  // descriptor.
  [[nodiscard]] Result<sys::UniqueFd> make_dirs(std::string_view path, mode_t mode = 0755) const;

  // Makes an empty regular file if there is nothing at `path` (its parents too), and opens it O_PATH. A
  // target for a bind mount.
  [[nodiscard]] Result<sys::UniqueFd> make_file(std::string_view path) const;

 private:
  sys::UniqueFd dir_;
};

// The inside of a path relative to the root: no leading slash, no empty, "." parts. ".." parts are kept.
std::string relative(std::string_view path);

}  // namespace berth::safepath
