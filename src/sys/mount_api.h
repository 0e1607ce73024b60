// The mount system calls that work by descriptor: open_tree, fsopen, fsconfig, fsmount, move_mount,
// mount_setattr (Linux 5.2 to 5.12). A mount that is not attached anywhere goes when its descriptor does.
//
// Where mount_setattr is missing, nothing can be done to such a mount before it is attached. Then "not
// attached anywhere" means: in a place of its own (sys/mount_place.h), which has to be there.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/mount.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// Cuts the mounts of the caller's mount namespace, a new copy of another's, off from that: they are private.
// Without mount_setattr they are slaves: nothing that is done here is seen there, but what is mounted there
// comes here, as copies that are to follow the host can't be taken from there then.
Result<> separate_mounts();

// Whether mount_setattr is missing; known after separate_mounts(), and in all that is forked then.
bool mounts_need_a_place();

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
  UniqueFd fd_;  // not open: there is a place for mounts, and what is set is collected for it
  std::string type_;
  std::vector<std::pair<std::string, std::string>> collected_;
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
