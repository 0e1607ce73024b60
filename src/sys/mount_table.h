// What is mounted where, as the calling process sees it (/proc/self/mountinfo, proc_pid_mountinfo(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::sys {

struct MountEntry {
  uint64_t id = 0;
  uint64_t parent = 0;        // the mount that it lies on
  std::string root;           // which directory of the file system is mounted
  std::string place;          // from the root of the process
  std::string type;           // "ext4"
  std::string options;        // of the file system, not of this mount: "rw,errors=continue"
  std::string mount_options;  // of this mount: "rw,nosuid,relatime"
};

// In the order in which the kernel lists them: a mount comes after the one that it lies on.
Result<std::vector<MountEntry>> read_mount_table();

// Which mount an open file or directory is on: MountEntry::id. From statx(2), and before Linux 5.8 from the
// caller's /proc.
Result<uint64_t> mount_id_of(int fd);

// One line. Code::failed if it is none.
Result<MountEntry> parse_mount_entry(std::string_view line);

}  // namespace berth::sys
