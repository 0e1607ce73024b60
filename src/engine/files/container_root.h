// A container's root file system with all that is mounted in it, for commands on the host that read and write
// its files: that of its processes if it runs, else put together for the occasion.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "engine/files/root_layers.h"
#include "safepath/root.h"
#include "store/containers.h"
#include "store/store.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::engine {

class ContainerRoot {
 public:
  // Of a running one: the root of its PID 1, which is known by its start time. Code::conflict if it has just
  // ended.
  static Result<ContainerRoot> of_running(const store::Store& store, const store::ContainerRecord& record);

  // Of one that does not run, and can't be started while this lives: its layers as a start stacks them, its
  // volumes at their places, and host directories, which can only be read. The caller has its lock and has
  // left its mount namespace (leave_mount_namespace()).
  static Result<ContainerRoot> of_stopped(store::Store& store, const store::ContainerRecord& record,
                                          sys::FileLock lock);

  // Paths are resolved inside it, whatever its processes do to them meanwhile.
  [[nodiscard]] const safepath::Root& root() const { return root_; }

  // From the IDs that its files show here to the container's own; none where they are the same.
  [[nodiscard]] const std::optional<idmap::Shift>& to_inside() const { return to_inside_; }

  // What the container's own IDs are here. Code::refused for one that is outside its map.
  [[nodiscard]] Result<HostUid> user(uint32_t inside) const;
  [[nodiscard]] Result<HostGid> group(uint32_t inside) const;

  // While it lives, what this process makes here is the container root's: where IDs are mapped, the host's
  // root could make nothing.
  [[nodiscard]] Result<sys::ScopedFsIds> as_its_root() const;

 private:
  explicit ContainerRoot(safepath::Root root) : root_(std::move(root)) {}
  safepath::Root root_;
  std::optional<idmap::IdMap> users_;  // none: IDs are here what they are inside
  std::optional<idmap::IdMap> groups_;
  std::optional<idmap::Shift> to_inside_;
  sys::FileLock lock_;  // of one that does not run
};

}  // namespace berth::engine
