// One member of a tar archive, as the archive tells it: names are raw bytes and not to be trusted.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <time.h>

namespace berth::unpack {

enum class EntryType { file, hard_link, symlink, character_device, block_device, directory, fifo };

// A run of data in a file; what lies between runs is a hole.
struct Segment {
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct TarEntry {
  EntryType type = EntryType::file;
  std::string path;    // no NUL in it
  std::string target;  // of a hard or symbolic link
  mode_t mode = 0;     // permission bits with setuid, setgid, sticky
  uint32_t uid = 0;    // at most 2^32-2
  uint32_t gid = 0;
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  timespec mtime{};
  uint64_t size = 0;              // of the file as it will be, holes included; 0 for all other types
  bool sparse = false;            // segments say where the data goes; else it is all of the file
  std::vector<Segment> segments;  // ascending, apart, within size
  std::vector<std::pair<std::string, std::string>> xattrs;  // in the archive's order
};

}  // namespace berth::unpack
