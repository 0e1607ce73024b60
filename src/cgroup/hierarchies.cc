#include "cgroup/hierarchies.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/fields.h"
#include "cgroup/membership.h"
#include "sys/file.h"
#include "sys/mount_table.h"

namespace berth::cgroup {

namespace {

constexpr std::string_view kNamed = "name=";

bool in_list(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (take_until(list, ',') == word) return true;
  }
  return false;
}

// Whether the options of a mounted v1 file system name the hierarchy: all its controllers, or its name.
bool names(std::string_view options, std::string_view key) {
  while (!key.empty()) {
    if (!in_list(options, take_until(key, ','))) return false;
  }
  return true;
}

// Where `path` of the hierarchy is, in a mount that shows `root` of it.
std::optional<std::string> below_mount(std::string_view root, std::string_view path) {
  // "/../x": outside of the caller's cgroup namespace.
  if (path.starts_with("/../") || path == "/..") return std::nullopt;
  if (root == "/") return std::string(path);
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (path.empty()) return "/";
  if (path[0] != '/') return std::nullopt;
  return std::string(path);
}

// The mount that shows the most of a hierarchy: its root if any does, and among equals the first.
const sys::MountEntry* mount_of(const std::vector<sys::MountEntry>& mounts, const Membership& member) {
  const sys::MountEntry* found = nullptr;
  for (const sys::MountEntry& mount : mounts) {
    const bool fits =
        member.v2() ? mount.type == "cgroup2" : mount.type == "cgroup" && names(mount.options, member.key);
    if (!fits) continue;
    if (found == nullptr || (found->root != "/" && mount.root == "/")) found = &mount;
  }
  return found;
}

Result<std::vector<sys::MountEntry>> cgroup_mounts(std::string_view mountinfo) {
  std::vector<sys::MountEntry> found;
  while (!mountinfo.empty()) {
    const std::string_view line = take_until(mountinfo, '\n');
    if (line.find(" - cgroup") == std::string_view::npos) continue;
    sys::MountEntry mount = TRY(sys::parse_mount_entry(line));
    if (mount.type == "cgroup" || mount.type == "cgroup2") found.push_back(std::move(mount));
  }
  return found;
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const {
  return in_list(key, controller);
}

const Hierarchy* Hierarchies::find(std::string_view key) const {
  const auto at = std::find_if(all.begin(), all.end(), [&](const Hierarchy& one) { return one.key == key; });
  return at == all.end() ? nullptr : &*at;
}

bool Hierarchies::unified() const {
  return v2() != nullptr && std::none_of(all.begin(), all.end(), [](const Hierarchy& one) {
           return !one.v2() && !one.key.starts_with(kNamed);
         });
}

Result<Hierarchies> parse_hierarchies(std::string_view mountinfo, std::string_view proc_cgroup) {
  const std::vector<sys::MountEntry> mounts = TRY(cgroup_mounts(mountinfo));
  std::vector<Membership> members = TRY(parse_memberships(proc_cgroup));
  std::stable_sort(members.begin(), members.end(),
                   [](const Membership& a, const Membership& b) { return a.number < b.number; });
  Hierarchies found;
  for (const Membership& member : members) {
    const sys::MountEntry* mount = mount_of(mounts, member);
    if (mount == nullptr || found.find(member.key) != nullptr) continue;
    found.all.push_back({std::string(member.key), mount->place, below_mount(mount->root, member.path), {}});
  }
  std::stable_partition(found.all.begin(), found.all.end(), [](const Hierarchy& one) { return one.v2(); });
  return found;
}

Result<> verify_cgroup(int dir, bool v2, std::string_view shown) {
  struct statfs found{};
  if (::fstatfs(dir, &found) != 0) return fail_errno(errno, "look at {}", shown);
  if (static_cast<uint64_t>(found.f_type) == (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC)) return {};
  return fail(Code::refused, "{} is not in a cgroup {} file system: something else is mounted there", shown,
              v2 ? "v2" : "v1");
}

Result<sys::UniqueFd> open_hierarchy(const Hierarchy& hierarchy) {
  sys::UniqueFd dir = TRY(sys::open_at(AT_FDCWD, hierarchy.place, O_PATH | O_DIRECTORY));
  TRY(verify_cgroup(dir.get(), hierarchy.v2(), hierarchy.place));
  return dir;
}

Result<Hierarchies> discover() {
  constexpr size_t kLargest = size_t{64} << 20;
  const std::string mountinfo = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/mountinfo", kLargest));
  const std::string own = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/cgroup", kLargest));
  Hierarchies found = TRY(parse_hierarchies(mountinfo, own));
  for (Hierarchy& one : found.all) {
    if (Result<sys::UniqueFd> root = open_hierarchy(one))
      one.root = std::make_shared<const sys::UniqueFd>(std::move(*root));
  }
  std::erase_if(found.all, [](const Hierarchy& one) { return one.root == nullptr; });
  if (found.all.empty()) {
    auto error = Error{Code::failed, 0, "no cgroup hierarchy is mounted here", {}};
    return std::unexpected(std::move(error).with_hint(
        "Mount it: mount -t cgroup2 none /sys/fs/cgroup. In a container, the cgroups "
        "of the host have to be given to it."));
  }
  return found;
}

Result<Hierarchies> hierarchies_of_this_process() {
  static const Result<Hierarchies> found = discover();
  return found;
}

}  // namespace berth::cgroup
