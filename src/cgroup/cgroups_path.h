// What linux.cgroupsPath of a runtime-spec configuration means (config-linux.md, "Cgroups Path").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::cgroup {

struct CgroupsPath {
  bool absolute = false;           // below the mount point; otherwise below the caller's own cgroup
  std::vector<std::string> parts;  // at least one; none is empty, ".", ".." or has a line break

  [[nodiscard]] std::string text() const;
  bool operator==(const CgroupsPath&) const = default;
};

// Code::refused with the reason: no name in it, "..", a NUL or a line break, or too long or deep for the
// kernel.
Result<CgroupsPath> parse_cgroups_path(std::string_view text);

// The form that is meant for systemd (--systemd-cgroup): "slice:prefix:name".
struct SystemdPath {
  std::string slice;  // "system.slice" if it was empty; "-.slice" is the root
  std::string unit;   // "prefix-name.scope", or the name itself if that ends with ".slice"

  // Where systemd keeps the unit: "/a.slice/a-b.slice/prefix-name.scope" for the slice "a-b.slice".
  [[nodiscard]] CgroupsPath path() const;
  bool operator==(const SystemdPath&) const = default;
};

Result<SystemdPath> parse_systemd_path(std::string_view text);

}  // namespace berth::cgroup
