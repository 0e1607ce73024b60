// Making a cgroup's directory in one hierarchy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/cgroup.h"

namespace berth::cgroup {

// Directories that were made, removed again when it goes, last first, unless keep() was called.
class MadeDirectories {
 public:
  MadeDirectories() = default;
  MadeDirectories(const MadeDirectories&) = delete;
  MadeDirectories& operator=(const MadeDirectories&) = delete;
  ~MadeDirectories();
  // `name` was made in `parent`, which is returned.
  int add(sys::UniqueFd parent, std::string name);
  void keep() { made_.clear(); }

 private:
  struct One {
    sys::UniqueFd parent;
    std::string name;
  };
  std::vector<One> made_;
};

// The directory of `path`, with what is missing on the way: parents, v2's controllers, v1's cpuset. Of the
// last name it is demanded that nobody is in it and nothing below.
Result<Cgroup::Part> make_part(const Hierarchy& hierarchy, const CgroupsPath& path, bool unified,
                               const CreateOptions& options, MadeDirectories& made);

// A lock on a directory that make_part() gave. Code::conflict if another one has it, or has had it since and
// is in there; ENOENT or ENODEV if it has removed the directory.
Result<sys::UniqueFd> claim(const Cgroup::Part& part);

// The directory of `path` if it is there; nullopt if it is not. Code::conflict if somebody is in it or below
// it.
Result<std::optional<Cgroup::Part>> find_unused_part(const Hierarchy& hierarchy, const CgroupsPath& path,
                                                     bool unified);

}  // namespace berth::cgroup
