// Mounts for kernels that can do nothing to one that is attached nowhere (before Linux 5.12), and have none
// (before 5.2): they are made in a place that nobody else sees, prepared there and moved to where they belong
// (mount(2), MS_BIND, MS_REMOUNT | MS_BIND, MS_MOVE). sys/mount_api.h chooses. Sources and targets are named
// by descriptor, as /proc/self/fd/N of the host's /proc.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// The place: a tmpfs in the caller's private mount namespace. It is unbindable, so that no recursive copy of
// what is around it has it too. There is one at a time.
class MountPlace {
 public:
  // On `directory`, one of berth's own.
  static Result<MountPlace> make(const std::string& directory);
  // The one that there is, or null. A forked process has it too.
  static MountPlace* current();

  MountPlace(MountPlace&& other) noexcept;
  MountPlace& operator=(MountPlace&&) = delete;
  MountPlace(const MountPlace&) = delete;
  MountPlace& operator=(const MountPlace&) = delete;
  // The mounts that are in it stay as long as the mount namespace, or what it is mounted on.
  ~MountPlace();

  // As clone_tree() and FilesystemContext::mount(). An option without a value has "" for it.
  Result<UniqueFd> clone(int dirfd, const std::string& path, bool recursive);
  Result<UniqueFd> mount(const std::string& type,
                         const std::vector<std::pair<std::string, std::string>>& options,
                         unsigned attributes);

 private:
  explicit MountPlace(UniqueFd directory);
  Result<std::string> new_name(bool directory);
  UniqueFd directory_;  // O_PATH
  unsigned next_ = 0;
};

// As attach(), set_attributes() and set_propagation(), for mounts that are attached in the caller's mount
// namespace. Recursive changes are made one mount after another, and those below that are covered by another
// are left out: nothing reaches them.
Result<> move_attached(int mount, int dirfd, const std::string& target);
Result<> change_attached(int mount, uint64_t set, uint64_t clear, bool recursive);
// A path that is not empty is the caller's own and absolute.
Result<> propagate_attached(int dirfd, const std::string& path, uint64_t propagation, bool recursive);

}  // namespace berth::sys
