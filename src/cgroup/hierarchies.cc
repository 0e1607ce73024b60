#include "cgroup/hierarchies.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

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

// Adds those that whole lines of mountinfo name.
Result<> add_cgroup_mounts(std::string_view mountinfo, std::vector<sys::MountEntry>& found) {
  while (!mountinfo.empty()) {
    const std::string_view line = take_until(mountinfo, '\n');
    if (line.find(" - cgroup") == std::string_view::npos) continue;
    sys::MountEntry mount = TRY(sys::parse_mount_entry(line));
    if (mount.type == "cgroup" || mount.type == "cgroup2") found.push_back(std::move(mount));
  }
  return {};
}

// By the kernel's number.
Result<std::vector<Membership>> sorted_memberships(std::string_view proc_cgroup) {
  std::vector<Membership> members = TRY(parse_memberships(proc_cgroup));
  std::stable_sort(members.begin(), members.end(),
                   [](const Membership& a, const Membership& b) { return a.number < b.number; });
  return members;
}

Hierarchies combine(const std::vector<sys::MountEntry>& mounts, const std::vector<Membership>& members) {
  Hierarchies found;
  for (const Membership& member : members) {
    const sys::MountEntry* mount = mount_of(mounts, member);
    if (mount == nullptr || found.find(member.key) != nullptr) continue;
    found.all.push_back({std::string(member.key), mount->place, below_mount(mount->root, member.path), {}});
  }
  std::stable_partition(found.all.begin(), found.all.end(), [](const Hierarchy& one) { return one.v2(); });
  return found;
}

// Whether there is nothing more to be looked for. v2 beside v1 is where systemd has it, or not mounted at
// all.
bool all_seen(const std::vector<sys::MountEntry>& mounts, const std::vector<Membership>& members) {
  bool v1 = false;
  bool v2 = true;
  for (const Membership& member : members) {
    const sys::MountEntry* mount = mount_of(mounts, member);
    const bool seen = mount != nullptr && mount->root == "/";
    if (member.v2()) {
      v2 = seen;
    } else if (seen) {
      v1 = true;
    } else {
      return false;
    }
  }
  struct statfs beside{};
  return v2 || (v1 && (::statfs("/sys/fs/cgroup/unified", &beside) != 0 ||
                       static_cast<uint64_t>(beside.f_type) != CGROUP2_SUPER_MAGIC));
}

// Reads mountinfo until the whole of each hierarchy has been seen: the host's own mounts come first, and each
// container that runs may add its own to what the kernel would have to write down.
Result<std::vector<sys::MountEntry>> read_cgroup_mounts(const std::vector<Membership>& members) {
  const sys::UniqueFd file = TRY(sys::open_at(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY));
  std::vector<sys::MountEntry> mounts;
  std::string text;  // not gone through yet
  while (!all_seen(mounts, members)) {
    std::array<char, 4096> buffer;  // NOLINT(*-member-init): zeroes for nothing
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read /proc/self/mountinfo");
    if (n == 0) break;
    text.append(buffer.data(), static_cast<size_t>(n));
    const size_t whole = text.rfind('\n') + 1;
    TRY(add_cgroup_mounts(std::string_view(text).substr(0, whole), mounts));
    text.erase(0, whole);
  }
  return mounts;
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
  std::vector<sys::MountEntry> mounts;
  TRY(add_cgroup_mounts(mountinfo, mounts));
  return combine(mounts, TRY(sorted_memberships(proc_cgroup)));
}

Result<Hierarchies> hierarchies_of(std::string_view proc_cgroup) {
  const std::vector<Membership> members = TRY(sorted_memberships(proc_cgroup));
  return combine(TRY(read_cgroup_mounts(members)), members);
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
  const std::string own = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/cgroup", kLargest));
  Hierarchies found = TRY(hierarchies_of(own));
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
