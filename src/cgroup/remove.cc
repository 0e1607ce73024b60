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

// The directory that the part is in; nullopt if a name on the way is gone.
Result<std::optional<sys::UniqueFd>> open_parent(const Cgroup::Part& part, const CgroupsPath& path) {
  sys::UniqueFd dir = TRY(open_hierarchy(part.hierarchy));
  for (size_t i = 0; i + 1 < path.parts.size(); ++i) {
    Result<sys::UniqueFd> below = open_below(dir.get(), path.parts[i]);
    if (!below && below.error().err == ENOENT) return std::optional<sys::UniqueFd>();
    dir = TRY(std::move(below));
  }
  return std::optional<sys::UniqueFd>(std::move(dir));
}

// Removes an empty cgroup; false if it is in use.
Result<bool> remove_one(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENODEV) return true;
  const int err = errno;
  if (err == EBUSY || err == ENOTEMPTY) return false;
  return fail_errno(err, "remove the cgroup {}", printable(name));
}

// One attempt for the whole tree. A cgroup of v1 has to lose its children itself, as on v2.
Result<bool> remove_tree(const Cgroup::Part& part, int parent, const std::string& name) {
  if (TRY(remove_one(parent, name))) return true;
  const Visit visit = [](int above, const std::string& one) -> Result<> {
    if (one != ".") TRY(remove_one(above, one));
    return {};
  };
  TRY(for_each_cgroup(part.fd.get(), visit));
  return remove_one(parent, name);
}

Result<> remove_part(const Cgroup& cgroup, const Cgroup::Part& part, Patience& patience) {
  const CgroupsPath path = TRY(parse_cgroups_path(part.path));
  const std::optional<sys::UniqueFd> parent = TRY(open_parent(part, path));
  if (!parent) return {};
  const std::string& name = path.parts.back();
  while (true) {
    struct stat found{};
    if (::fstatat(parent->get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
      return {};
    // One of the same name that somebody has made since is theirs.
    if (found.st_ino != part.id || TRY(remove_tree(part, parent->get(), name))) return {};
    if (patience.sleep()) continue;
    const std::vector<pid_t> left = TRY(cgroup.processes());
    return fail_errno(EBUSY, "remove the cgroup {}{}", part.shown(),
                      left.empty() ? ""
                                   : fmt::format(", in which {} processes are (the first is {})", left.size(),
                                                 left.front()));
  }
}

}  // namespace

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
