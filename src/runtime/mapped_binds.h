// The bind mounts of a plan whose IDs are mapped.
#pragma once

#include <map>
#include <string>

#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// Maps detached clones, each through the map that its plan has. Namespaces are made once for each map.
class BindMapper {
 public:
  // The container's user namespace, which stays the caller's; -1 where it uses the host's.
  explicit BindMapper(int user_namespace) : container_(user_namespace) {}

  // `clone` is a detached copy of what `source` (O_PATH) is. All of it is mapped or nothing: an error names
  // the mount that can't be, and why.
  Result<> map(const MountPlan& plan, int clone, int source);

 private:
  Result<int> namespace_for(const MountPlan& plan);
  int container_;
  std::map<std::string, sys::UniqueFd> own_;  // by the maps' text
};

}  // namespace berth::runtime
