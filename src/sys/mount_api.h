// The mount system calls that work by descriptor: open_tree, fsopen, fsconfig, fsmount, move_mount,
// mount_setattr (Linux 5.2 to 5.12). A mount that is not attached anywhere goes when its descriptor does.
#pragma once

#include <cstdint>
#include <string>

#include <sys/mount.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// A detached copy of the mount at `path` (relative to dirfd; "" is dirfd itself). With `recursive`, of all
// below it.
Result<UniqueFd> clone_tree(int dirfd, const std::string& path, bool recursive);

// A superblock in the making. Errors carry the kernel's own explanation where it gave one.
class FilesystemContext {
 public:
  static Result<FilesystemContext> open(const std::string& type);
  Result<> set(const std::string& key, const std::string& value);
  Result<> set_flag(const std::string& key);
  Result<> set_fd(const std::string& key, int fd);
  Result<> create();
  // The mount of the created superblock; `attributes` are MOUNT_ATTR_*.
  Result<UniqueFd> mount(unsigned attributes);

 private:
  FilesystemContext(UniqueFd fd, std::string type) : fd_(std::move(fd)), type_(std::move(type)) {}
  [[nodiscard]] std::unexpected<Error> explain(int err, const std::string& doing) const;
  UniqueFd fd_;
  std::string type_;
};

// Attaches the detached mount `mount` at `target` (relative to dirfd; "" is dirfd itself; links are not
// followed).
Result<> attach(int mount, int dirfd, const std::string& target);

// Sets and clears MOUNT_ATTR_* on a mount, on all below it if recursive.
Result<> set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive);

// Changes how mount events propagate: MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE.
Result<> set_propagation(int dirfd, const std::string& path, uint64_t propagation, bool recursive);

// Maps the IDs of a detached mount through a user namespace. EINVAL: the file system can't; EPERM: mapped
// already.
Result<> set_id_mapping(int mount, int user_namespace, bool recursive);

}  // namespace berth::sys
