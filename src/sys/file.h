// Files and directories of berth's own, by directory descriptor. For paths that an image or a container
// controls, see safepath/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// openat(2) with O_CLOEXEC added. `path` is berth's own or the caller's (the person at the command line).
Result<UniqueFd> open_at(int dirfd, const std::string& path, int flags, mode_t mode = 0);

// All of a file, refused if it is longer than `limit` bytes. Reads from the current position.
Result<std::string> read_all(int fd, size_t limit);
Result<std::string> read_file_at(int dirfd, const std::string& path, size_t limit);
// What one read(2) gives: for a short file that is replaced as a whole, and for those of /proc that hold one
// record. At most 4 KiB, refused if there is more.
Result<std::string> read_record_at(int dirfd, const std::string& path);

// Writes all of `data`, going on after short writes and signals.
Result<> write_all(int fd, std::string_view data);

// Writes `data` in one write(2) to an existing file, as /proc and /sys want it.
Result<> write_control_file(int dirfd, const std::string& path, std::string_view data);
// The same to an open file, which `shown` names in the error.
Result<> write_control(int fd, const std::string& shown, std::string_view data);

enum class Durability { none, synced };  // synced: on disk, name included, when the call returns

// Puts a new file in the place of `name` in one step (write to a temporary name, rename).
Result<> replace_file_at(int dirfd, const std::string& name, std::string_view data, mode_t mode,
                         Durability durability);

// mkdir that is content with a directory that is there already. Returns true if it was made.
Result<bool> ensure_dir_at(int dirfd, const std::string& name, mode_t mode);

// Every missing directory of an absolute path; those made get `mode`.
Result<> ensure_dirs(const std::string& path, mode_t mode);

// Removes `name` and all below it, without following links or leaving the file system's tree below `dirfd`;
// nothing there is success. Immutable to renames that go on meanwhile in the sense that nothing outside the
// tree is removed.
Result<> remove_tree_at(int dirfd, const std::string& name);

// Names in a directory, without . and .., unsorted.
Result<std::vector<std::string>> list_dir(int dirfd);

Result<struct stat> stat_at(int dirfd, const std::string& path,
                            int flags);  // flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH
// Whether a name exists (links are not followed).
bool exists_at(int dirfd, const std::string& path);

// A whole-file lock (flock(2)): it belongs to the open file description, so it ends with the last descriptor
// of it, however the processes that hold one end.
class FileLock {
 public:
  FileLock() = default;
  // Creates the file if need be and waits for the lock.
  static Result<FileLock> exclusive(int dirfd, const std::string& name);
  static Result<FileLock> shared(int dirfd, const std::string& name);
  // As exclusive(), but Code::conflict at once if somebody holds it.
  static Result<FileLock> try_exclusive(int dirfd, const std::string& name);
  // As try_exclusive(), but only if the file is there: err is ENOENT otherwise. In a directory that another
  // process may be removing, a new file would be in its way.
  static Result<FileLock> try_existing(int dirfd, const std::string& name);
  // The lock that the process before this one in the same descriptor had, across its exec. Code::conflict if
  // `fd` is not open on that file, or the lock is not its.
  static Result<FileLock> inherited(int dirfd, const std::string& name, UniqueFd fd);
  [[nodiscard]] int fd() const { return fd_.get(); }
  void release() { fd_.reset(); }

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace berth::sys
