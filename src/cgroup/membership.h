// In which cgroup of each hierarchy a process is (cgroups(7), "/proc/PID/cgroup").
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::cgroup {

// One line: "4:memory:/process". Valid as long as the text that it was read from.
struct Membership {
  uint64_t number = 0;    // of the hierarchy; v2 has 0
  std::string_view key;   // "" is v2, "cpu,cpuacct" or "name=systemd" one of v1
  std::string_view path;  // "/a/b"; "/../x" is outside of the reader's cgroup namespace

  [[nodiscard]] bool v2() const { return key.empty(); }
};

// In the order of the text. Code::failed if a line is none.
Result<std::vector<Membership>> parse_memberships(std::string_view proc_cgroup);

}  // namespace berth::cgroup
