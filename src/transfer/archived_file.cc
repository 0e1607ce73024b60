#include "transfer/archived_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "idmap/shifted_attributes.h"
#include "sys/descriptor_path.h"
#include "sys/extended_attributes.h"
#include "sys/file.h"

namespace berth::transfer {

namespace {

using unpack::EntryType;

constexpr size_t kMaxSegments = 65536;

// Overlayfs's own, and what the host's policy says of this one inode.
bool stays_here(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOfTheHost{"security.selinux", "security.evm", "security.ima",
                                                       "security.apparmor"};
  return name.starts_with("trusted.") || name.starts_with("user.overlay.") ||
         std::find(kOfTheHost.begin(), kOfTheHost.end(), name) != kOfTheHost.end();
}

std::optional<EntryType> type_of(mode_t mode) {
  switch (mode & static_cast<mode_t>(S_IFMT)) {
    case S_IFREG:
      return EntryType::file;
    case S_IFDIR:
      return EntryType::directory;
    case S_IFLNK:
      return EntryType::symlink;
    case S_IFCHR:
      return EntryType::character_device;
    case S_IFBLK:
      return EntryType::block_device;
    case S_IFIFO:
      return EntryType::fifo;
    default:
      return std::nullopt;
  }
}

// Where the data of a file with holes is. With very many pieces the last one is all of the rest.
void find_holes(int fd, const struct stat& st, unpack::TarEntry& entry) {
  constexpr off_t kBlock = 512;
  constexpr off_t kWorthwhile = off_t{64} << 10;
  if (st.st_size - st.st_blocks * kBlock < kWorthwhile) return;
  for (off_t at = 0; at < st.st_size;) {
    const off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return;  // the file system does not know
    if (data < 0 || data >= st.st_size) break;
    off_t hole = entry.segments.size() + 1 < kMaxSegments ? ::lseek(fd, data, SEEK_HOLE) : -1;
    if (hole < 0 || hole > st.st_size) hole = st.st_size;
    entry.segments.push_back({static_cast<uint64_t>(data), static_cast<uint64_t>(hole - data)});
    at = hole;
  }
  entry.sparse = true;
}

Result<std::string> link_target(int handle) {
  std::string text(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(handle, "", text.data(), text.size());
  if (length < 0) return fail_errno(errno, "read the link");
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace

Result<> FileReader::describe(ArchivedFile& file, int handle, const struct stat& st) {
  unpack::TarEntry& entry = file.entry;
  entry.mode = st.st_mode & 07777U;
  entry.uid = shift_ ? shift_->users(st.st_uid) : st.st_uid;
  entry.gid = shift_ ? shift_->groups(st.st_gid) : st.st_gid;
  entry.mtime = st.st_mtim;
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
    entry.device_major = ::major(st.st_rdev);
    entry.device_minor = ::minor(st.st_rdev);
  }
  if (S_ISLNK(st.st_mode)) {
    entry.target = TRY(link_target(handle));
    return {};
  }
  for (auto& [name, value] : TRY(sys::read_attributes(handle))) {
    if (stays_here(name)) continue;
    if (shift_) value = TRY(idmap::shifted_attribute(name, value, *shift_));
    entry.xattrs.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

Result<std::optional<ArchivedFile>> FileReader::read(int directory, const std::string& name,
                                                     const std::string& path) {
  // Opened for itself first: opening a device or a FIFO for reading could act on it.
  const Result<sys::UniqueFd> handle = sys::open_at(directory, name, O_PATH | O_NOFOLLOW);
  if (!handle && handle.error().err == ENOENT) return std::nullopt;
  if (!handle) return std::unexpected(handle.error());
  return read_open(handle->get(), path);
}

Result<std::optional<ArchivedFile>> FileReader::read_open(int handle, const std::string& path) {
  const struct stat st = TRY(sys::stat_at(handle, "", AT_EMPTY_PATH));
  const std::optional<EntryType> type = type_of(st.st_mode);
  if (!type) return std::nullopt;
  ArchivedFile file;
  file.entry.type = *type;
  file.entry.path = *type == EntryType::directory ? path + "/" : path;
  if (st.st_nlink > 1 && *type != EntryType::directory) {
    const auto [first, is_first] = linked_.try_emplace({st.st_dev, st.st_ino}, path);
    if (!is_first) {
      file.entry.type = EntryType::hard_link;
      file.entry.target = first->second;
    }
  }
  if (file.entry.type != EntryType::hard_link) TRY(describe(file, handle, st));
  if (file.entry.type == EntryType::hard_link) return file;
  if (*type != EntryType::file) return file;
  file.data = TRY(sys::open_at(AT_FDCWD, sys::descriptor_path(handle), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  file.entry.size = static_cast<uint64_t>(st.st_size);
  find_holes(file.data.get(), st, file.entry);
  return file;
}

}  // namespace berth::transfer
