// Removing a cgroup's directories: those below first, then its own.
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/control_file.h"
#include "cgroup/patience.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

// Removes an empty cgroup; false if it is in use.
Result<bool> remove_one(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENODEV) return true;
  const int err = errno;
  if (err == EBUSY || err == ENOTEMPTY) return false;
  return fail_errno(err, "remove the cgroup {}", printable(name));
}

// The recorded directory. Below a cgroup hierarchy's root there are no links that a path could go through.
Result<bool> remove_directory(const Hierarchy& hierarchy, const std::string& path, uint64_t id) {
  const int root = hierarchy.root->get();
  const std::string below = path.substr(1);
  struct stat found{};
  if (::fstatat(root, below.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) return true;
  // One of the same name that somebody has made since is theirs.
  if (found.st_ino != id) return true;
  return remove_one(root, below);
}

// One attempt for the whole tree. A cgroup of v1 has to lose its children itself, as on v2.
Result<bool> remove_tree(const Cgroup::Part& part) {
  if (TRY(remove_directory(part.hierarchy, part.path, part.id))) return true;
  const Visit visit = [](int above, const std::string& one) -> Result<> {
    if (one != ".") TRY(remove_one(above, one));
    return {};
  };
  TRY(for_each_cgroup(part.fd.get(), visit));
  return remove_directory(part.hierarchy, part.path, part.id);
}

Result<> remove_part(const Cgroup& cgroup, const Cgroup::Part& part, Patience& patience) {
  while (true) {
    if (TRY(remove_tree(part))) return {};
    if (patience.sleep()) continue;
    const std::vector<pid_t> left = TRY(cgroup.processes());
    return fail_errno(EBUSY, "remove the cgroup {}{}", part.shown(),
                      left.empty() ? ""
                                   : fmt::format(", in which {} processes are (the first is {})", left.size(),
                                                 left.front()));
  }
}

}  // namespace

Result<bool> Cgroup::remove_if_empty(const Hierarchies& hierarchies, const std::vector<RecordEntry>& record) {
  bool all = true;
  for (const RecordEntry& entry : record) {
    const Hierarchy* hierarchy = hierarchies.find(entry.hierarchy);
    if (hierarchy != nullptr) all = TRY(remove_directory(*hierarchy, entry.path, entry.id)) && all;
  }
  return all;
}

Result<> Cgroup::remove(Wait whole) const {
  Patience patience(whole);
  Result<> outcome;
  for (const Part& part : parts_) {
    Result<> removed = remove_part(*this, part, patience);
    if (!removed && outcome) outcome = std::move(removed);
  }
  return outcome;
}

}  // namespace berth::cgroup
