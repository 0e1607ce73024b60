// Which cgroup hierarchies there are, where they are mounted and where in them the caller is (cgroups(7)).
//
// A host has one of three layouts: v2 alone ("unified"), v1 hierarchies alone, or both ("hybrid": v2 beside
// v1, mostly without controllers). A controller belongs to one hierarchy at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::cgroup {

struct Hierarchy {
  // As /proc/self/cgroup names it: "" is v2, "cpu,cpuacct" or "name=systemd" one of v1.
  std::string key;
  std::string place;  // where it is mounted
  // Where the caller is, below `place` ("/" is the mount point itself). nullopt: somewhere that this mount
  // does not show, as in a container into which a part of the tree was mounted.
  std::optional<std::string> own;
  // `place`, opened O_PATH and verified by discover(); null where only texts were parsed.
  std::shared_ptr<const sys::UniqueFd> root;

  [[nodiscard]] bool v2() const { return key.empty(); }
  [[nodiscard]] bool has(std::string_view controller) const;  // of v1; v2's are in cgroup.controllers
  bool operator==(const Hierarchy&) const = default;
};

struct Hierarchies {
  std::vector<Hierarchy> all;  // v2 first, then by the kernel's number

  [[nodiscard]] const Hierarchy* find(std::string_view key) const;
  [[nodiscard]] const Hierarchy* v2() const { return find(""); }
  // v2 and no v1 hierarchy that has a controller. A named one alone ("name=systemd") does not make a hybrid.
  [[nodiscard]] bool unified() const;
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup. Lines that name nothing mounted are passed
// over; Code::failed if a line is none. Reads nothing, and hierarchies without a mount are left out.
Result<Hierarchies> parse_hierarchies(std::string_view mountinfo, std::string_view proc_cgroup);

// The same from what is mounted for the caller. `proc_cgroup`, of any process, is looked for there.
Result<Hierarchies> hierarchies_of(std::string_view proc_cgroup);

// The caller's. An error with a hint if nothing is mounted. Each place was looked at: it is a cgroup file
// system of its version (statfs(2)), not something that was mounted over it.
Result<Hierarchies> discover();

// discover(), once a process: what is mounted where does not change under a command.
Result<Hierarchies> hierarchies_of_this_process();

// The directory at which a hierarchy is mounted, O_PATH. Verified as for discover().
Result<sys::UniqueFd> open_hierarchy(const Hierarchy& hierarchy);

// Code::refused unless the directory is in a cgroup file system of this version. `shown` names it in the
// error.
Result<> verify_cgroup(int dir, bool v2, std::string_view shown);

}  // namespace berth::cgroup
