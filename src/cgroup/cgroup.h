// A container's cgroup: one directory in each hierarchy, made, filled, frozen, killed and removed together.
//
// Everything is done by directory descriptor, name by name and never through a link, and each directory is
// verified to be a cgroup. Parents that are missing are made and stay: they are the caller's slices. What
// create() has made is taken away again if it fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "cgroup/cgroups_path.h"
#include "cgroup/hierarchies.h"
#include "sys/unique_fd.h"

namespace berth::cgroup {

// One directory, as it can be kept in a file. The ID is the inode's number, which the kernel does not use a
// second time: a cgroup that somebody made later at the same path is told from this one.
struct RecordEntry {
  std::string hierarchy;  // Hierarchy::key
  std::string path;       // below the mount point, "/a/b"
  uint64_t id = 0;
  bool operator==(const RecordEntry&) const = default;
};

// Lines "ID:hierarchy:path".
std::string record_text(const std::vector<RecordEntry>& record);
// Code::refused for anything that record_text() does not write.
Result<std::vector<RecordEntry>> parse_record(std::string_view text);

struct CreateOptions {
  // v2 controllers to enable in the ancestors' cgroup.subtree_control. One that is not there, or may not be
  // enabled, is an error if it is required, unless v1 has it, and passed over if it is wanted.
  std::vector<std::string> required;
  std::vector<std::string> wanted = {"cpu", "cpuset", "io", "memory", "pids"};
  // Leave out hierarchies in which the caller may not make anything (EACCES, EPERM, EROFS), as without root.
  // At least one must be left.
  bool where_allowed = false;
  // Somebody else has made it for this caller, and has put processes in: that it is in use is no conflict.
  bool adopted = false;
};

// How long an operation may wait for the kernel.
using Wait = std::chrono::milliseconds;
inline constexpr Wait kPatience{10'000};

class Cgroup {
 public:
  // One directory. `fd` is O_PATH and close-on-exec.
  struct Part {
    Hierarchy hierarchy;
    std::string path;  // below the mount point, "/a/b"
    sys::UniqueFd fd;
    uint64_t id = 0;

    [[nodiscard]] bool v2() const { return hierarchy.v2(); }
    [[nodiscard]] std::string shown() const { return hierarchy.place + path; }  // for messages
  };

  // In every hierarchy. A relative path is below the caller's own cgroup; on a unified host beside it, for a
  // cgroup that holds processes can't give controllers to its children ("no internal processes"). A cgroup
  // that is there already is taken over if it has no process and no child, and is Code::conflict otherwise.
  // So it is where somebody else has made it and still has this object, and may have no process in it yet.
  static Result<Cgroup> create(const Hierarchies& hierarchies, const CgroupsPath& path,
                               const CreateOptions& options = {});

  // The one that was recorded, as far as it is still there; Code::not_found if nothing of it is.
  static Result<Cgroup> open(const Hierarchies& hierarchies, const std::vector<RecordEntry>& record);
  [[nodiscard]] std::vector<RecordEntry> record() const;

  // What a create() of this path, which was killed before anybody recorded its outcome, may have made: the
  // directories at the path, if nobody is in them, nothing is below and nobody else is taking them. As long
  // as this object lives nobody can take them, so they can be removed. Code::not_found if there is none.
  static Result<Cgroup> open_unused(const Hierarchies& hierarchies, const CgroupsPath& path);

  // Removes those of the recorded directories that nobody is in and nothing is below. False: some are left.
  static Result<bool> remove_if_empty(const Hierarchies& hierarchies, const std::vector<RecordEntry>& record);

  // Where another process is, in those hierarchies in which the caller is somewhere else; nothing if it is in
  // none. ENOENT if it has ended. The caller makes sure that it was still the same process afterwards.
  static Result<std::optional<Cgroup>> of_process(pid_t pid);

  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  [[nodiscard]] const Part* v2() const;
  // The v1 directory in whose hierarchy the controller is ("memory"), or the one of v2 if it is enabled
  // there.
  [[nodiscard]] const Part* with_controller(std::string_view controller) const;

  // For clone3(2)'s CLONE_INTO_CGROUP, which takes a directory of v2 only (EBADF otherwise); -1 if there is
  // none. The others then still need add().
  [[nodiscard]] int clone_fd() const;

  // Moves a process, all its threads, in. `in_v2_already`: it was cloned into clone_fd().
  [[nodiscard]] Result<> add(pid_t pid, bool in_v2_already = false) const;

  // The same from inside, for a process of one thread that puts itself in: files that it gets open and writes
  // to with enter(). On v1 that takes microseconds where add() takes a millisecond and more a hierarchy,
  // because only moving others makes the kernel wait for all processors (the write lock of
  // cgroup_threadgroup_rwsem). The right to move is that of the one who opened. `in_v2_already` as for add().
  [[nodiscard]] Result<std::vector<sys::UniqueFd>> entrances(bool in_v2_already) const;

  // Processes in it and below it, in every hierarchy, sorted. Those of a PID namespace that the caller does
  // not see are not among them.
  [[nodiscard]] Result<std::vector<pid_t>> processes() const;

  // By cgroup.freeze of v2, or else by v1's freezer; Code::failed if there is neither. When freeze() returns,
  // all are frozen; if that takes too long, they are thawed again.
  [[nodiscard]] Result<> freeze(Wait patience = kPatience) const;
  [[nodiscard]] Result<> thaw(Wait patience = kPatience) const;
  [[nodiscard]] Result<bool> frozen() const;

  // To each process once. One that ends meanwhile is no error.
  [[nodiscard]] Result<> signal_all(int signal) const;

  // SIGKILL to all, also to those that fork meanwhile or are frozen, and waits until none is left (zombies do
  // not count).
  [[nodiscard]] Result<> kill_all(Wait patience = kPatience) const;

  // Removes the directories and all below them. Gone already is success; processes in them are an error once
  // `patience` is over.
  [[nodiscard]] Result<> remove(Wait patience = kPatience) const;

 private:
  // Perhaps of no parts; Code::conflict if it is in use.
  static Result<Cgroup> find_and_claim(const Hierarchies& hierarchies, const CgroupsPath& path);
  explicit Cgroup(std::vector<Part> parts, std::vector<sys::UniqueFd> claims = {})
      : parts_(std::move(parts)), claims_(std::move(claims)) {}
  std::vector<Part> parts_;
  std::vector<sys::UniqueFd> claims_;  // of create() and open_unused(): the lock on each part
};

// Moves the calling process, which has one thread, into what the descriptors of Cgroup::entrances() stand
// for. Does nothing but write(2).
Result<> enter(std::span<const sys::UniqueFd> entrances);

}  // namespace berth::cgroup
