#include "sys/mount_place.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fields.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"
#include "sys/mount_table.h"
#include "sys/openat2.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256  // Linux 5.10; older headers do not have it
#endif

namespace berth::sys {

namespace {

MountPlace* the_place = nullptr;

struct Attribute {
  uint64_t attribute;     // MOUNT_ATTR_*
  unsigned long flag;     // MS_*
  std::string_view name;  // in mountinfo
};
constexpr std::array<Attribute, 6> kAttributes{{{MOUNT_ATTR_RDONLY, MS_RDONLY, "ro"},
                                                {MOUNT_ATTR_NOSUID, MS_NOSUID, "nosuid"},
                                                {MOUNT_ATTR_NODEV, MS_NODEV, "nodev"},
                                                {MOUNT_ATTR_NOEXEC, MS_NOEXEC, "noexec"},
                                                {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, "nodiratime"},
                                                {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, "nosymfollow"}}};

// Of the file system, as mount(2) wants them beside its own options.
struct FilesystemFlag {
  std::string_view name;
  unsigned long flag;
};
constexpr std::array<FilesystemFlag, 6> kFilesystemFlags{{{"ro", MS_RDONLY},
                                                          {"sync", MS_SYNCHRONOUS},
                                                          {"dirsync", MS_DIRSYNC},
                                                          {"mand", MS_MANDLOCK},
                                                          {"lazytime", MS_LAZYTIME},
                                                          {"i_version", MS_I_VERSION}}};

uint64_t attributes_of(const MountEntry& entry) {
  uint64_t attributes = MOUNT_ATTR_STRICTATIME;
  for (std::string_view rest = entry.mount_options; !rest.empty();) {
    const std::string_view word = take_until(rest, ',');
    for (const Attribute& one : kAttributes)
      if (word == one.name) attributes |= one.attribute;
    if (word == "relatime") attributes &= ~uint64_t{MOUNT_ATTR__ATIME};
    if (word == "noatime") attributes = (attributes & ~uint64_t{MOUNT_ATTR__ATIME}) | MOUNT_ATTR_NOATIME;
  }
  return attributes;
}

// Without one for access times the kernel keeps what there was.
unsigned long flags_of(uint64_t attributes) {
  unsigned long flags = 0;
  for (const Attribute& one : kAttributes)
    if ((attributes & one.attribute) != 0) flags |= one.flag;
  const uint64_t times = attributes & MOUNT_ATTR__ATIME;
  return flags | (times == MOUNT_ATTR_NOATIME       ? MS_NOATIME
                  : times == MOUNT_ATTR_STRICTATIME ? MS_STRICTATIME
                                                    : MS_RELATIME);
}

const MountEntry* find(const std::vector<MountEntry>& table, uint64_t id) {
  const auto found =
      std::find_if(table.begin(), table.end(), [id](const MountEntry& entry) { return entry.id == id; });
  return found == table.end() ? nullptr : &*found;
}

// A kernel that does not know a flag says nothing.
Result<> check_known(int mount) {
  const std::vector<MountEntry> table = TRY(read_mount_table());
  const MountEntry* entry = find(table, TRY(mount_id_of(mount)));
  if (entry != nullptr && (attributes_of(*entry) & MOUNT_ATTR_NOSYMFOLLOW) != 0) return {};
  return fail("this kernel can't keep links from being followed on a mount (nosymfollow; Linux 5.10)");
}

Result<> change_one(int mount, const MountEntry& entry, uint64_t set, uint64_t clear) {
  const uint64_t wanted = (attributes_of(entry) & ~clear) | set;
  const unsigned long flags = MS_REMOUNT | MS_BIND | flags_of(wanted);
  if (::mount(nullptr, descriptor_path(mount).c_str(), nullptr, flags, nullptr) != 0)
    return fail_errno(errno, "change a mount's attributes");
  return (set & MOUNT_ATTR_NOSYMFOLLOW) != 0 ? check_known(mount) : Result<>();
}

// The part of a mount's place that is below another's; both are from the same root.
std::string place_below(const MountEntry& top, const MountEntry& entry) {
  const std::string prefix = top.place == "/" ? "/" : top.place + "/";
  return entry.place.starts_with(prefix) ? entry.place.substr(prefix.size()) : std::string();
}

// The mount of the table, if it is what is found at its place; an invalid descriptor for one that is covered.
// Whatever may have been renamed or mounted on the way: a mount is known by its ID.
Result<UniqueFd> open_mount(int top, const MountEntry& top_entry, const MountEntry& entry) {
  constexpr uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const std::string place = place_below(top_entry, entry);
  if (place.empty()) return UniqueFd();
  Result<UniqueFd> found = open_at2(top, place, O_PATH | O_NOFOLLOW, 0, kResolve);
  if (!found) return found;
  if (TRY(mount_id_of(found->get())) != entry.id) return UniqueFd();
  return found;
}

}  // namespace

Result<MountPlace> MountPlace::make(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(errno, "make the directory {}", directory);
  if (::mount("berth", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") != 0 ||
      ::mount(nullptr, directory.c_str(), nullptr, MS_UNBINDABLE, nullptr) != 0)
    return fail_errno(errno, "mount a tmpfs on {}", directory);
  return MountPlace(TRY(open_at(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_NOFOLLOW)));
}

MountPlace* MountPlace::current() {
  return the_place;
}

MountPlace::MountPlace(UniqueFd directory) : directory_(std::move(directory)) {
  the_place = this;
}

MountPlace::MountPlace(MountPlace&& other) noexcept
    : directory_(std::move(other.directory_)), next_(other.next_) {
  if (the_place == &other) the_place = this;
}

MountPlace::~MountPlace() {
  if (the_place == this) the_place = nullptr;
}

// Another process that has the place too may have taken the next name.
Result<std::string> MountPlace::new_name(bool directory) {
  while (true) {
    std::string name = std::to_string(next_++);
    const int rc = directory ? ::mkdirat(directory_.get(), name.c_str(), 0700)
                             : ::mknodat(directory_.get(), name.c_str(), S_IFREG | 0600, 0);
    if (rc == 0) return name;
    if (errno != EEXIST) return fail_errno(errno, "make a place for a mount");
  }
}

Result<UniqueFd> MountPlace::clone(int dirfd, const std::string& path, bool recursive) {
  UniqueFd opened;
  if (!path.empty()) opened = TRY(open_at(dirfd, path, O_PATH | O_NOFOLLOW));
  const int source = path.empty() ? dirfd : opened.get();
  const struct stat st = TRY(stat_at(source, "", AT_EMPTY_PATH));
  const std::string name = TRY(new_name(S_ISDIR(st.st_mode)));
  const UniqueFd target = TRY(open_at(directory_.get(), name, O_PATH | O_NOFOLLOW));
  const unsigned long flags = MS_BIND | (recursive ? unsigned{MS_REC} : 0U);
  if (::mount(descriptor_path(source).c_str(), descriptor_path(target.get()).c_str(), nullptr, flags,
              nullptr) != 0)
    return fail_errno(errno, "copy the mount {}", path);
  return open_at(directory_.get(), name, O_PATH | O_NOFOLLOW);
}

Result<UniqueFd> MountPlace::mount(const std::string& type,
                                   const std::vector<std::pair<std::string, std::string>>& options,
                                   unsigned attributes) {
  constexpr size_t kLongest = 4095;  // a page with the end
  std::string source = type;
  std::string data;
  unsigned long flags = flags_of(attributes & ~unsigned{MOUNT_ATTR_RDONLY});
  for (const auto& [key, value] : options) {
    const auto flag = std::find_if(kFilesystemFlags.begin(), kFilesystemFlags.end(),
                                   [&key](const FilesystemFlag& one) { return one.name == key; });
    if (key == "source") {
      source = value;
    } else if (flag != kFilesystemFlags.end() && value.empty()) {
      flags |= flag->flag;
    } else if (key != "rw") {
      if (key.find(',') != std::string::npos || value.find(',') != std::string::npos)
        return fail(Code::refused, "the option {}={} of {} has a comma, which needs Linux 5.12", key, value,
                    type);
      data += (data.empty() ? "" : ",") + key + (value.empty() ? "" : "=" + value);
    }
  }
  if (data.size() > kLongest) return fail(Code::refused, "the options of {} are longer than a page", type);
  const std::string name = TRY(new_name(true));
  const UniqueFd target = TRY(open_at(directory_.get(), name, O_PATH | O_NOFOLLOW));
  if (::mount(source.c_str(), descriptor_path(target.get()).c_str(), type.c_str(), flags, data.c_str()) != 0)
    return fail_errno(errno, "mount {}", type);
  UniqueFd made = TRY(open_at(directory_.get(), name, O_PATH | O_NOFOLLOW));
  // Not the file system: whoever made the mount may have to write to it.
  if ((attributes & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW)) != 0)
    TRY(change_attached(made.get(), attributes, 0, false));
  return made;
}

Result<> move_attached(int mount, int dirfd, const std::string& target) {
  UniqueFd opened;
  if (!target.empty()) opened = TRY(open_at(dirfd, target, O_PATH | O_NOFOLLOW));
  const int place = target.empty() ? dirfd : opened.get();
  if (::mount(descriptor_path(mount).c_str(), descriptor_path(place).c_str(), nullptr, MS_MOVE, nullptr) != 0)
    return fail_errno(errno, "attach a mount");
  return {};
}

Result<> change_attached(int mount, uint64_t set, uint64_t clear, bool recursive) {
  const std::vector<MountEntry> table = TRY(read_mount_table());
  const uint64_t id = TRY(mount_id_of(mount));
  const MountEntry* top = find(table, id);
  if (top == nullptr) return fail("a mount is not in the mount table");
  TRY(change_one(mount, *top, set, clear));
  if (!recursive) return {};
  std::set<uint64_t> tree{id};
  // A mount comes after the one that it lies on, but for those that were moved.
  for (size_t before = 0; before != tree.size();) {
    before = tree.size();
    for (const MountEntry& entry : table)
      if (tree.contains(entry.parent)) tree.insert(entry.id);
  }
  tree.erase(id);
  for (const MountEntry& entry : table) {
    if (!tree.contains(entry.id)) continue;
    const UniqueFd below = TRY_CONTEXT(open_mount(mount, *top, entry), "{}", entry.place);
    if (below.valid()) TRY_CONTEXT(change_one(below.get(), entry, set, clear), "{}", entry.place);
  }
  return {};
}

Result<> propagate_attached(int dirfd, const std::string& path, uint64_t propagation, bool recursive) {
  const std::string place = path.empty() ? descriptor_path(dirfd) : path;
  const unsigned long flags = propagation | (recursive ? unsigned{MS_REC} : 0U);
  if (::mount(nullptr, place.c_str(), nullptr, flags, nullptr) != 0)
    return fail_errno(errno, "change a mount's propagation");
  return {};
}

}  // namespace berth::sys
