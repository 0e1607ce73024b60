// Owner, mode, extended attributes and time of a file, exactly as an archive gives them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <time.h>

#include "base/error.h"

namespace berth::unpack {

struct Attributes {
  mode_t mode = 0755;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;
};

// trusted.* steers overlayfs (redirects, opaque directories) and is berth's; security.selinux belongs to the
// host's policy. An image sets neither.
bool image_may_set_xattr(std::string_view name);

// All of them, on an open file or directory. `path` is for messages.
Result<> apply_attributes(int fd, const Attributes& attributes, std::string_view path);

// The same for something that can't be opened: a link (whose mode is not set), a device, a FIFO.
Result<> apply_attributes_at(int dirfd, const std::string& name, const Attributes& attributes, bool is_link,
                             std::string_view path);

// Of an open directory: what apply_attributes() would set.
Result<Attributes> read_attributes(int fd);

}  // namespace berth::unpack
