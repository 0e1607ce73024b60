#include "unpack/layer_tree.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::unpack {

namespace {

constexpr const char* kOpaqueXattr = "trusted.overlay.opaque";

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == ::makedev(0, 0);
}

Attributes attributes_of(const TarEntry& entry) {
  return Attributes{entry.mode, entry.uid, entry.gid, entry.mtime, entry.xattrs};
}

Result<> check_xattrs(const TarEntry& entry, const Limits& limits) {
  for (const auto& [name, value] : entry.xattrs) {
    if (name.empty() || name.size() > limits.name_length || value.size() > limits.xattr_value) {
      return fail(Code::refused, "\"{}\" has an extended attribute that is too large or has no name",
                  entry.path);
    }
  }
  return {};
}

}  // namespace

LayerTree::LayerTree(sys::UniqueFd root, const Limits& limits)
    : root_(std::move(root)),
      limits_(limits),
      walk_(root_.get(), limits,
            [this](const std::string& path, bool over_whiteout) {
              directories_[path].opaque = over_whiteout;
              if (over_whiteout) whiteouts_.erase(path);
            }),
      target_walk_(root_.get(), limits, {}) {
  directories_.emplace("", Directory{});
}

Result<> LayerTree::add(const TarEntry& entry, TarReader& reader) {
  const LayerPath path = TRY(parse_layer_path(entry.path, limits_));
  if (path.kind == NameKind::ignored) return {};
  ++summary_.entries;
  if (path.name.empty() && entry.type != EntryType::directory) {
    return fail(Code::refused, "the layer's root \"{}\" is not a directory", entry.path);
  }
  if (path.kind != NameKind::ordinary) {
    if (entry.type == EntryType::directory) {
      return fail(Code::refused, "the whiteout \"{}\" is a directory", entry.path);
    }
    return add_whiteout(path);
  }
  TRY(check_xattrs(entry, limits_));
  switch (entry.type) {
    case EntryType::directory:
      return add_directory(entry, path);
    case EntryType::file:
      return add_file(entry, path, reader);
    case EntryType::hard_link:
      return add_hard_link(entry, path);
    case EntryType::symlink:
    case EntryType::character_device:
    case EntryType::block_device:
    case EntryType::fifo:
      return add_special(entry, path);
  }
  return {};
}

Result<> LayerTree::remember(const std::string& path, const TarEntry& entry) {
  attribute_bytes_ += path.size();
  for (const auto& [name, value] : entry.xattrs) attribute_bytes_ += name.size() + value.size();
  if (attribute_bytes_ > limits_.directory_attribute_bytes) {
    return fail(Code::refused, "names and attributes of the directories take more than {} bytes",
                limits_.directory_attribute_bytes);
  }
  Directory& directory = directories_[path];
  directory.attributes = attributes_of(entry);
  directory.in_archive = true;
  return {};
}

Result<> LayerTree::add_directory(const TarEntry& entry, const LayerPath& path) {
  if (path.name.empty()) return remember("", entry);
  const int dirfd = TRY(walk_.enter(path.parents, DirectoryWalk::Missing::make));
  const std::string name(path.name);
  const std::string full = walk_.path_of(name);
  bool over_whiteout = false;
  while (::mkdirat(dirfd, name.c_str(), 0700) != 0) {
    const int err = errno;
    if (err != EEXIST) return fail_errno(err, "make the directory {}", full);
    const struct stat st = TRY(sys::stat_at(dirfd, name, AT_SYMLINK_NOFOLLOW));
    if (S_ISDIR(st.st_mode)) break;
    over_whiteout = is_whiteout(st);
    TRY(clear(dirfd, name));
  }
  TRY(remember(full, entry));
  if (over_whiteout) directories_[full].opaque = true;
  return {};
}

Result<> LayerTree::add_whiteout(const LayerPath& path) {
  const int dirfd = TRY(walk_.enter(path.parents, DirectoryWalk::Missing::make));
  if (path.kind == NameKind::opaque) {
    directories_[walk_.path()].opaque = true;
    return {};
  }
  const std::string name(path.name);
  std::string full = walk_.path_of(name);
  if (::mknodat(dirfd, name.c_str(), S_IFCHR, ::makedev(0, 0)) == 0) {
    whiteouts_.insert(std::move(full));
    return {};
  }
  const int err = errno;
  if (err != EEXIST) return fail_errno(err, "make the whiteout of {}", full);
  // Whiteouts hide what lower layers have; what this layer has itself stays, whatever the order.
  const auto directory = directories_.find(full);
  if (directory != directories_.end()) directory->second.opaque = true;
  return {};
}

Result<> LayerTree::add_file(const TarEntry& entry, const LayerPath& path, TarReader& reader) {
  if (entry.size > limits_.file_size) {
    return fail(Code::refused, "\"{}\" has {} bytes, and at most {} are taken", entry.path, entry.size,
                limits_.file_size);
  }
  const int dirfd = TRY(walk_.enter(path.parents, DirectoryWalk::Missing::make));
  const std::string name(path.name);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  sys::UniqueFd fd(::openat(dirfd, name.c_str(), kFlags, 0600));
  if (!fd && errno == EEXIST) {
    TRY(clear(dirfd, name));
    fd = sys::UniqueFd(::openat(dirfd, name.c_str(), kFlags, 0600));
  }
  if (!fd) return fail_errno(errno, "make the file {}", walk_.path_of(name));
  TRY(write_data(fd.get(), entry, reader));
  return apply_attributes(fd.get(), attributes_of(entry), entry.path);
}

Result<> LayerTree::write_data(int fd, const TarEntry& entry, TarReader& reader) {
  uint64_t end = 0;
  while (true) {
    const TarReader::Data data = TRY(reader.read_data());
    if (data.bytes.empty()) break;
    for (std::span<const std::byte> rest = data.bytes; !rest.empty();) {
      const uint64_t offset = data.offset + (data.bytes.size() - rest.size());
      const ssize_t n = ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(errno, "write {}", entry.path);
      rest = rest.subspan(static_cast<size_t>(n));
    }
    end = data.offset + data.bytes.size();
    summary_.bytes += data.bytes.size();
  }
  if (end < entry.size && ::ftruncate(fd, static_cast<off_t>(entry.size)) != 0) {
    return fail_errno(errno, "set the size of {}", entry.path);
  }
  return {};
}

Result<> LayerTree::add_hard_link(const TarEntry& entry, const LayerPath& path) {
  const LayerPath target =
      TRY_CONTEXT(parse_layer_path(entry.target, limits_), "the hard link \"{}\"", entry.path);
  if (target.name.empty() || target.kind != NameKind::ordinary) {
    return fail(Code::refused, "the hard link \"{}\" goes to \"{}\", which is no file", entry.path,
                entry.target);
  }
  const int dirfd = TRY(walk_.enter(path.parents, DirectoryWalk::Missing::make));
  const std::string name(path.name);
  const std::string target_name(target.name);
  for (int attempt = 0;; ++attempt) {
    const int target_dir = TRY_CONTEXT(target_walk_.enter(target.parents, DirectoryWalk::Missing::refuse),
                                       "the hard link \"{}\"", entry.path);
    struct stat st{};
    if (::fstatat(target_dir, target_name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 || is_whiteout(st)) {
      return fail(Code::refused, "the hard link \"{}\" goes to \"{}\", which is not in this layer",
                  entry.path, entry.target);
    }
    if (S_ISDIR(st.st_mode)) {
      return fail(Code::refused, "the hard link \"{}\" goes to the directory \"{}\"", entry.path,
                  entry.target);
    }
    if (::linkat(target_dir, target_name.c_str(), dirfd, name.c_str(), 0) == 0) return {};
    const int err = errno;
    if (err != EEXIST || attempt > 0) return fail_errno(err, "link {} to {}", entry.path, entry.target);
    const struct stat there = TRY(sys::stat_at(dirfd, name, AT_SYMLINK_NOFOLLOW));
    if (there.st_ino == st.st_ino) return {};
    TRY(clear(dirfd, name));
  }
}

Result<> LayerTree::add_special(const TarEntry& entry, const LayerPath& path) {
  const int dirfd = TRY(walk_.enter(path.parents, DirectoryWalk::Missing::make));
  const std::string name(path.name);
  const bool is_link = entry.type == EntryType::symlink;
  if (is_link && (entry.target.empty() || entry.target.size() > limits_.path_length)) {
    return fail(Code::refused, "the link \"{}\" has no possible target", entry.path);
  }
  const auto make = [&]() -> int {
    const mode_t mode = entry.mode & 0777U;
    const dev_t device = ::makedev(entry.device_major, entry.device_minor);
    switch (entry.type) {
      case EntryType::symlink:
        return ::symlinkat(entry.target.c_str(), dirfd, name.c_str());
      case EntryType::fifo:
        return ::mknodat(dirfd, name.c_str(), S_IFIFO | mode, 0);
      case EntryType::block_device:
        return ::mknodat(dirfd, name.c_str(), S_IFBLK | mode, device);
      default:
        return ::mknodat(dirfd, name.c_str(), S_IFCHR | mode, device);
    }
  };
  int rc = make();
  if (rc != 0 && errno == EEXIST) {
    TRY(clear(dirfd, name));
    rc = make();
  }
  if (rc != 0) return fail_errno(errno, "make {}", entry.path);
  return apply_attributes_at(dirfd, name, attributes_of(entry), is_link, entry.path);
}

Result<> LayerTree::clear(int dirfd, const std::string& name) {
  const struct stat st = TRY(sys::stat_at(dirfd, name, AT_SYMLINK_NOFOLLOW));
  const std::string full = walk_.path_of(name);
  if (S_ISDIR(st.st_mode)) {
    // The walk itself stands in the directory above, so it stays good.
    target_walk_.restart();
    forget_below(full);
  } else if (is_whiteout(st)) {
    whiteouts_.erase(full);
  }
  return sys::remove_tree_at(dirfd, name);
}

void LayerTree::forget_below(const std::string& path) {
  directories_.erase(path);
  // '0' comes right after '/': all that begins with "path/".
  directories_.erase(directories_.lower_bound(path + '/'), directories_.lower_bound(path + '0'));
  whiteouts_.erase(whiteouts_.lower_bound(path + '/'), whiteouts_.lower_bound(path + '0'));
}

Result<TreeSummary> LayerTree::finish() {
  TRY(drop_pointless_whiteouts());
  summary_.opaque_root = directories_[""].opaque;
  for (const auto& [path, directory] : directories_) {
    TRY(finish_directory(path, directory));
    if (!directory.in_archive) summary_.implicit_directories.push_back(path);
  }
  return std::move(summary_);
}

// Nothing of a lower layer shows below an opaque directory, and overlayfs lists a whiteout there as a device.
Result<> LayerTree::drop_pointless_whiteouts() {
  for (const auto& [path, directory] : directories_) {
    if (!directory.opaque || whiteouts_.empty()) continue;
    const std::string prefix = path.empty() ? "" : path + '/';
    auto whiteout = whiteouts_.lower_bound(prefix);
    while (whiteout != whiteouts_.end() && whiteout->starts_with(prefix)) {
      const size_t slash = whiteout->rfind('/');
      const std::string parent = slash == std::string::npos ? "" : whiteout->substr(0, slash);
      const int dirfd = TRY(walk_.enter(path_parts(parent), DirectoryWalk::Missing::refuse));
      const std::string name = slash == std::string::npos ? *whiteout : whiteout->substr(slash + 1);
      if (::unlinkat(dirfd, name.c_str(), 0) != 0) return fail_errno(errno, "remove {}", *whiteout);
      whiteout = whiteouts_.erase(whiteout);
    }
  }
  return {};
}

Result<> LayerTree::finish_directory(const std::string& path, const Directory& directory) {
  constexpr uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const sys::UniqueFd fd =
      TRY(sys::open_at2(root_.get(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY, 0, kResolve));
  if (directory.opaque && ::fsetxattr(fd.get(), kOpaqueXattr, "y", 1, 0) != 0) {
    return fail_errno(errno, "make the directory {} opaque", path);
  }
  return apply_attributes(fd.get(), directory.attributes, path);
}

}  // namespace berth::unpack
