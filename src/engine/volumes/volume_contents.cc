#include "engine/volumes/volume_contents.h"

#include <array>
#include <cerrno>
#include <climits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "store/image_path.h"
#include "sys/copy_content.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

using store::MergedDirectory;
using store::StackEntry;

// trusted.* is overlayfs's own, security.selinux the host's policy.
bool belongs_to_content(std::string_view attribute) {
  return !attribute.starts_with("trusted.") && attribute != "security.selinux";
}

Result<> copy_xattrs(int from, int to, const std::string& path) {
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t length = ::flistxattr(from, names.data(), names.size());
  if (length < 0 && errno == EOPNOTSUPP) return {};
  if (length < 0) return fail_errno(errno, "list the attributes of {}", path);
  names.resize(static_cast<size_t>(length));
  std::string value;
  for (size_t begin = 0; begin < names.size();) {
    const std::string name = names.c_str() + begin;
    begin += name.size() + 1;
    if (!belongs_to_content(name)) continue;
    value.resize(XATTR_SIZE_MAX);
    const ssize_t size = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (size < 0) return fail_errno(errno, "read the attribute {} of {}", name, path);
    if (::fsetxattr(to, name.c_str(), value.data(), static_cast<size_t>(size), 0) != 0)
      return fail_errno(errno, "set the attribute {} of {}", name, path);
  }
  return {};
}

std::array<timespec, 2> times_of(const struct stat& st) {
  return {st.st_atim, st.st_mtim};
}

// Owner first: a change of owner takes setuid bits and file capabilities away.
Result<> copy_attributes(int from, int to, const struct stat& st, const std::string& path) {
  if (::fchown(to, st.st_uid, st.st_gid) != 0) return fail_errno(errno, "set the owner of {}", path);
  if (::fchmod(to, st.st_mode & 07777U) != 0) return fail_errno(errno, "set the mode of {}", path);
  TRY(copy_xattrs(from, to, path));
  const std::array<timespec, 2> times = times_of(st);
  if (::futimens(to, times.data()) != 0) return fail_errno(errno, "set the time of {}", path);
  return {};
}

class Copy {
 public:
  // The number of names.
  Result<size_t> run(MergedDirectory from, int to) {
    sys::UniqueFd destination = TRY(sys::open_at(to, ".", O_RDONLY | O_DIRECTORY));
    TRY(push(std::move(from), std::move(destination), ""));
    // Deep trees are hostile input, so the directories on the way are not on the stack.
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.names.size()) {
        TRY(finish(level));
        levels_.pop_back();
        continue;
      }
      const std::string name = std::move(level.names[level.next++]);
      std::optional<StackEntry> entry = TRY_CONTEXT(level.from.look_up(name), "{}", level.path);
      if (!entry) continue;
      TRY(copy_one(level, name, *entry));
      ++copied_;
    }
    return copied_;
  }

 private:
  struct Level {
    MergedDirectory from;
    sys::UniqueFd to;
    std::string path;  // below the copied directory, for messages and links
    std::vector<std::string> names;
    size_t next = 0;
  };
  using Inode = std::pair<dev_t, ino_t>;

  Result<> push(MergedDirectory from, sys::UniqueFd to, std::string path) {
    std::vector<std::string> names = TRY(from.names());
    levels_.push_back({std::move(from), std::move(to), std::move(path), std::move(names)});
    return {};
  }

  // Only now that all is in it: what is put into a directory changes its time.
  static Result<> finish(const Level& level) {
    const struct stat st = TRY(sys::stat_at(level.from.fd(), "", AT_EMPTY_PATH));
    return copy_attributes(level.from.fd(), level.to.get(), st, level.path.empty() ? "/" : level.path);
  }

  Result<> copy_one(const Level& level, const std::string& name, StackEntry& entry) {
    const std::string path = level.path.empty() ? name : level.path + "/" + name;
    const struct stat& st = entry.attributes;
    switch (st.st_mode & S_IFMT) {
      case S_IFDIR: {
        TRY(sys::ensure_dir_at(level.to.get(), name, 0700));
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
        sys::UniqueFd to = TRY(sys::open_at(level.to.get(), name, flags));
        return push(std::move(*entry.directory), std::move(to), path);
      }
      case S_IFREG:
        return copy_file(level, name, entry, path);
      case S_IFLNK:
        return copy_link(level, name, entry, path);
      case S_IFIFO:
        if (::mkfifoat(level.to.get(), name.c_str(), 0600) != 0) return fail_errno(errno, "make {}", path);
        return set_by_name(level, name, st, path);
      default:
        log::debug("{} is a device or a socket and is not copied into the volume", path);
        return {};
    }
  }

  Result<> copy_file(const Level& level, const std::string& name, const StackEntry& entry,
                     const std::string& path) {
    const struct stat& st = entry.attributes;
    if (st.st_nlink > 1) {
      const auto [known, is_new] = links_.try_emplace(Inode{st.st_dev, st.st_ino}, path);
      const int root = levels_.front().to.get();
      if (!is_new && ::linkat(root, known->second.c_str(), level.to.get(), name.c_str(), 0) == 0) return {};
      // Too many links or too long a path: it becomes a file of its own.
    }
    const sys::UniqueFd from =
        TRY(sys::open_at(AT_FDCWD, sys::descriptor_path(entry.handle.get()), O_RDONLY | O_NOCTTY));
    const sys::UniqueFd to =
        TRY(sys::open_at(level.to.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY_CONTEXT(sys::copy_content(from.get(), to.get(), st), "copy {}", path);
    return copy_attributes(from.get(), to.get(), st, path);
  }

  static Result<> copy_link(const Level& level, const std::string& name, const StackEntry& entry,
                            const std::string& path) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(entry.handle.get(), "", target.data(), target.size());
    if (length < 0) return fail_errno(errno, "read the link {}", path);
    target.resize(static_cast<size_t>(length));
    if (::symlinkat(target.c_str(), level.to.get(), name.c_str()) != 0)
      return fail_errno(errno, "make the link {}", path);
    return set_by_name(level, name, entry.attributes, path);
  }

  // Of what can't be opened. It was made a moment ago in a directory that is only root's.
  static Result<> set_by_name(const Level& level, const std::string& name, const struct stat& st,
                              const std::string& path) {
    const int here = level.to.get();
    if (::fchownat(here, name.c_str(), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno(errno, "set the owner of {}", path);
    if (!S_ISLNK(st.st_mode) && ::fchmodat(here, name.c_str(), st.st_mode & 07777U, 0) != 0)
      return fail_errno(errno, "set the mode of {}", path);
    const std::array<timespec, 2> times = times_of(st);
    if (::utimensat(here, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno(errno, "set the time of {}", path);
    return {};
  }

  std::vector<Level> levels_;
  size_t copied_ = 0;
  std::map<Inode, std::string> links_;  // files with several names: where the first one is
};

}  // namespace

Result<size_t> copy_image_directory(const store::LayerStack& image, std::string_view path, int destination) {
  if (image.empty()) return size_t{0};
  const store::ImagePath place = TRY(store::follow(image, path));
  if (!place.exists() || !S_ISDIR(place.target->st_mode)) return size_t{0};
  StackEntry here = TRY(image.root());
  for (const std::string& part : place.parts) {
    std::optional<StackEntry> next = TRY(here.directory->look_up(part));
    if (!next || !next->directory) return fail("{} of the image has changed meanwhile", path);
    here = std::move(*next);
  }
  return TRY_CONTEXT(Copy().run(std::move(*here.directory), destination), "copy {} of the image", path);
}

}  // namespace berth::engine
