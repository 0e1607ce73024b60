#include "transfer/tree_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byte_source.h"
#include "base/log.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"
#include "sys/openat2.h"
#include "unpack/layer_path.h"

namespace berth::transfer {

namespace {

using unpack::EntryType;
using unpack::TarEntry;

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr mode_t kSetId = S_ISUID | S_ISGID;
constexpr unpack::Limits kLimits;

std::array<timespec, 2> times_of(timespec mtime) {
  return {mtime, mtime};
}

// The parts of a path in an archive, joined: without "." and leading slashes.
Result<std::string> inside_path(std::string_view path) {
  std::string joined;
  const std::vector<std::string_view> parts = unpack::path_parts(path);
  if (parts.size() > kLimits.depth) return fail(Code::refused, "it is below {} directories", kLimits.depth);
  for (const std::string_view part : parts) {
    if (part == "..") return fail(Code::refused, "the path leads out with \"..\"");
    joined += (joined.empty() ? "" : "/") + std::string(part);
  }
  return joined;
}

// A piece of a tar at a time.
class Pieces : public unpack::ChunkSource {
 public:
  explicit Pieces(ByteSource& source) : source_(source), piece_(size_t{256} << 10) {}
  Result<std::span<const std::byte>> next() override {
    const size_t n = TRY(source_.read(piece_));
    return std::span<const std::byte>(piece_).first(n);
  }

 private:
  ByteSource& source_;
  std::vector<std::byte> piece_;
};

Result<> write_data(int fd, const TarEntry& entry, unpack::TarReader& reader) {
  // Holes, and what a hostile archive says of a length, cost nothing.
  if (::ftruncate(fd, static_cast<off_t>(entry.size)) != 0) return fail_errno(errno, "set the length");
  while (true) {
    const unpack::TarReader::Data data = TRY(reader.read_data());
    if (data.bytes.empty()) return {};
    for (size_t done = 0; done < data.bytes.size();) {
      const ssize_t n = ::pwrite(fd, data.bytes.data() + done, data.bytes.size() - done,
                                 static_cast<off_t>(data.offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(errno, "write");
      done += static_cast<size_t>(n);
    }
  }
}

}  // namespace

Result<sys::UniqueFd> TreeWriter::open_parent(const std::string& path, bool make) {
  const std::string shown = path.empty() ? "." : path;
  Result<sys::UniqueFd> found =
      sys::open_at2(directory_.get(), shown, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, kInside);
  if (!found && found.error().err == ELOOP)
    return fail(Code::refused, "{} leads over a link; copy to where that leads", path);
  if (found || found.error().err != ENOENT || !make || path.empty()) return found;
  // An archive need not list the directories that its files are in.
  const size_t slash = path.rfind('/');
  const sys::UniqueFd above = TRY(open_parent(slash == std::string::npos ? "" : path.substr(0, slash), true));
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const bool made = TRY(sys::ensure_dir_at(above.get(), name, 0755));
  sys::UniqueFd directory = TRY(sys::open_at(above.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!made) return directory;
  const Owner owner = TRY(policy_.owner(TarEntry{}));
  if (::fchown(directory.get(), owner.uid, owner.gid) != 0) return fail_errno(errno, "set the owner");
  return directory;
}

Result<TreeWriter::Place> TreeWriter::find(std::string_view path, bool make) {
  const std::string inside = TRY(inside_path(path));
  const size_t slash = inside.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : inside.substr(0, slash);
  if (!parent_ || parent != parent_path_) {
    parent_ = TRY(open_parent(parent, make));
    parent_path_ = parent;
  }
  return Place{parent_.get(), slash == std::string::npos ? inside : inside.substr(slash + 1)};
}

// Makes way for something that is no directory.
Result<> TreeWriter::clear(const Place& place) const {
  if (::unlinkat(place.parent, place.name.c_str(), 0) == 0 || errno == ENOENT) return {};
  const int err = errno;
  struct stat st{};
  const bool directory =
      ::fstatat(place.parent, place.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
  if (!directory) return fail_errno(err, "replace it");
  if (policy_.overwrite) return sys::remove_tree_at(place.parent, place.name);
  Error error = fail(Code::conflict, "a directory is in the place of a file").error();
  return std::unexpected(std::move(error).with_hint("--overwrite removes the directory."));
}

mode_t TreeWriter::mode_of(const TarEntry& entry) const {
  return policy_.keep_setid ? entry.mode : entry.mode & ~kSetId;
}

// In this order: chown clears bits of the mode, and all but the times changes the times.
Result<> TreeWriter::give(int fd, const TarEntry& entry) const {
  const Owner owner = TRY(policy_.owner(entry));
  if (::fchown(fd, owner.uid, owner.gid) != 0) return fail_errno(errno, "set the owner");
  if (::fchmod(fd, mode_of(entry)) != 0) return fail_errno(errno, "set the mode");
  if (::futimens(fd, times_of(entry.mtime).data()) != 0) return fail_errno(errno, "set the time");
  return {};
}

Result<> TreeWriter::add_directory(const TarEntry& entry, const Place& place, std::string path) {
  if (::mkdirat(place.parent, place.name.c_str(), 0700) != 0) {
    if (errno != EEXIST) return fail_errno(errno, "make the directory");
    const struct stat st = TRY(sys::stat_at(place.parent, place.name, AT_SYMLINK_NOFOLLOW));
    if (S_ISDIR(st.st_mode) && !policy_.change_directories) return {};
    if (!S_ISDIR(st.st_mode)) {
      if (!policy_.overwrite) {
        Error error =
            fail(Code::conflict, "a {} is in the place of a directory", S_ISLNK(st.st_mode) ? "link" : "file")
                .error();
        return std::unexpected(std::move(error).with_hint("--overwrite removes it."));
      }
      TRY(clear(place));
      if (::mkdirat(place.parent, place.name.c_str(), 0700) != 0)
        return fail_errno(errno, "make the directory");
    }
  }
  const sys::UniqueFd made = TRY(sys::open_at(place.parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const Owner owner = TRY(policy_.owner(entry));
  if (::fchown(made.get(), owner.uid, owner.gid) != 0) return fail_errno(errno, "set the owner");
  directories_.push_back({std::move(path), mode_of(entry), entry.mtime});
  return {};
}

Result<> TreeWriter::add_file(const TarEntry& entry, const Place& place, unpack::TarReader& reader) {
  const Result<> cleared = clear(place);
  sys::UniqueFd file;
  if (!cleared && cleared.error().err == EBUSY) {
    // Something is mounted there, such as /etc/hosts: what is in it changes then.
    const sys::UniqueFd handle = TRY(sys::open_at(place.parent, place.name, O_PATH | O_NOFOLLOW));
    const struct stat st = TRY(sys::stat_at(handle.get(), "", AT_EMPTY_PATH));
    if (!S_ISREG(st.st_mode)) return cleared;
    file = TRY(sys::open_at(AT_FDCWD, sys::descriptor_path(handle.get()), O_WRONLY | O_TRUNC | O_NOCTTY));
    return write_data(file.get(), entry, reader);
  }
  if (!cleared) return cleared;
  file = TRY(sys::open_at(place.parent, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  Result<> written = write_data(file.get(), entry, reader);
  if (written) written = give(file.get(), entry);
  // Half a file is of no use to anybody.
  if (!written) ::unlinkat(place.parent, place.name.c_str(), 0);
  return written;
}

Result<> TreeWriter::add_link(const TarEntry& entry, const Place& place) {
  TRY(clear(place));
  if (::symlinkat(entry.target.c_str(), place.parent, place.name.c_str()) != 0)
    return fail_errno(errno, "make the link");
  const Owner owner = TRY(policy_.owner(entry));
  if (::fchownat(place.parent, place.name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "set the owner");
  if (::utimensat(place.parent, place.name.c_str(), times_of(entry.mtime).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "set the time");
  return {};
}

Result<> TreeWriter::add_hard_link(const TarEntry& entry, const Place& place) {
  const std::string target = TRY(inside_path(entry.target));
  const size_t slash = target.rfind('/');
  const sys::UniqueFd parent =
      TRY(open_parent(slash == std::string::npos ? "" : target.substr(0, slash), false));
  const std::string name = slash == std::string::npos ? target : target.substr(slash + 1);
  if (name.empty()) return fail(Code::refused, "it is a link to the directory itself");
  TRY(clear(place));
  if (::linkat(parent.get(), name.c_str(), place.parent, place.name.c_str(), 0) != 0)
    return fail_errno(errno, "link it to {}", entry.target);
  return {};
}

Result<> TreeWriter::add_fifo(const TarEntry& entry, const Place& place) {
  TRY(clear(place));
  if (::mkfifoat(place.parent, place.name.c_str(), 0600) != 0) return fail_errno(errno, "make the FIFO");
  // What it is by now, somebody else decides.
  const sys::UniqueFd made = TRY(sys::open_at(place.parent, place.name, O_PATH | O_NOFOLLOW));
  const struct stat st = TRY(sys::stat_at(made.get(), "", AT_EMPTY_PATH));
  if (!S_ISFIFO(st.st_mode)) return fail(Code::refused, "it is something else by now");
  const Owner owner = TRY(policy_.owner(entry));
  if (::fchownat(made.get(), "", owner.uid, owner.gid, AT_EMPTY_PATH) != 0)
    return fail_errno(errno, "set the owner");
  if (::chmod(sys::descriptor_path(made.get()).c_str(), mode_of(entry)) != 0)
    return fail_errno(errno, "set the mode");
  return {};
}

Result<> TreeWriter::add(const TarEntry& entry, unpack::TarReader& reader) {
  const Place place = TRY(find(entry.path, true));
  if (place.name.empty()) {
    if (entry.type == EntryType::directory) return {};
    return fail(Code::refused, "it has no name");
  }
  switch (entry.type) {
    case EntryType::directory:
      return add_directory(entry, place, TRY(inside_path(entry.path)));
    case EntryType::file:
      return add_file(entry, place, reader);
    case EntryType::symlink:
      return add_link(entry, place);
    case EntryType::hard_link:
      return add_hard_link(entry, place);
    case EntryType::fifo:
      return add_fifo(entry, place);
    case EntryType::character_device:
    case EntryType::block_device:
      log::warn("the device {} is not copied", printable(entry.path));
      return {};
  }
  return {};
}

Result<> TreeWriter::finish() {
  parent_.reset();
  for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
    const Result<sys::UniqueFd> open =
        sys::open_at2(directory_.get(), directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, kInside);
    // Somebody has removed it since.
    if (!open) continue;
    if (::fchmod(open->get(), directory->mode) != 0 ||
        ::futimens(open->get(), times_of(directory->mtime).data()) != 0)
      return fail_errno(errno, "set the mode and the time of {}", directory->path);
  }
  return {};
}

Result<> write_tree(ByteSource& tar, TreeWriter& writer) {
  Pieces pieces(tar);
  unpack::TarReader reader(pieces, kLimits);
  TarEntry entry;
  while (TRY(reader.next(entry))) TRY_CONTEXT(writer.add(entry, reader), "{}", printable(entry.path));
  TRY(writer.finish());
  return reader.drain();
}

}  // namespace berth::transfer
