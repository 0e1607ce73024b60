// How a container's log is kept.
#pragma once

#include <cstdint>

namespace berth::monitor {

inline constexpr uint64_t kDefaultLogSize = uint64_t{32} << 20;
inline constexpr uint32_t kDefaultLogFiles = 4;
inline constexpr uint32_t kMostLogFiles = 1000;

struct LogOptions {
  bool keep = true;                     // false: there is no log
  uint64_t max_size = kDefaultLogSize;  // of a file, in bytes; 0: any
  uint32_t max_files = kDefaultLogFiles;
  template <typename A>
  void fields(A& a) {
    a(keep, max_size, max_files);
  }
};

}  // namespace berth::monitor
