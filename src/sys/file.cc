#include "sys/file.h"

#include <array>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace berth::sys {

Result<UniqueFd> open_at(int dirfd, const std::string& path, int flags, mode_t mode) {
  const int fd = ::openat(dirfd, path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return fail_errno(errno, "open {}", path);
  return UniqueFd(fd);
}

namespace {

Result<> reserve_whole(int fd, size_t limit, std::string& data) {
  struct stat st{};
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) return {};
  const auto size = static_cast<size_t>(st.st_size);
  if (size > limit) return fail(Code::refused, "the file has {} bytes, and at most {} are read", size, limit);
  data.reserve(size + 1);
  return {};
}

}  // namespace

Result<std::string> read_all(int fd, size_t limit) {
  std::string data;
  std::array<char, 16384> buffer;  // NOLINT(*-member-init): 16 KiB of zeroes for nothing
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read");
    if (n == 0) return data;
    if (data.size() + static_cast<size_t>(n) > limit) {
      return fail(Code::refused, "the file is longer than {} bytes", limit);
    }
    // Most are small, and files of /proc and /sys do not tell their size.
    if (data.empty() && static_cast<size_t>(n) == buffer.size()) TRY(reserve_whole(fd, limit, data));
    data.append(buffer.data(), static_cast<size_t>(n));
  }
}

Result<std::string> read_file_at(int dirfd, const std::string& path, size_t limit) {
  const UniqueFd fd = TRY(open_at(dirfd, path, O_RDONLY));
  return TRY_CONTEXT(read_all(fd.get(), limit), "{}", path);
}

Result<std::string> read_record_at(int dirfd, const std::string& path) {
  const UniqueFd fd = TRY(open_at(dirfd, path, O_RDONLY));
  std::array<char, 4097> buffer;  // NOLINT(*-member-init): zeroes for nothing
  ssize_t n = 0;
  do {
    n = ::read(fd.get(), buffer.data(), buffer.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno(errno, "read {}", path);
  if (static_cast<size_t>(n) == buffer.size())
    return fail(Code::refused, "{} is longer than {} bytes", path, buffer.size() - 1);
  return std::string(buffer.data(), static_cast<size_t>(n));
}

Result<> write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "write");
    data.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<> write_control(int fd, const std::string& shown, std::string_view data) {
  ssize_t n = 0;
  do {
    n = ::write(fd, data.data(), data.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno(errno, "write {}", shown);
  if (static_cast<size_t>(n) != data.size())
    return fail("write {}: only {} of {} bytes", shown, n, data.size());
  return {};
}

Result<> write_control_file(int dirfd, const std::string& path, std::string_view data) {
  const UniqueFd fd = TRY(open_at(dirfd, path, O_WRONLY));
  return write_control(fd.get(), path, data);
}

Result<> replace_file_at(int dirfd, const std::string& name, std::string_view data, mode_t mode,
                         Durability durability) {
  const std::string temporary = fmt::format("{}.{}.tmp", name, ::getpid());
  UniqueFd fd = TRY(open_at(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  Result<> outcome = write_all(fd.get(), data);
  if (outcome && ::fchmod(fd.get(), mode) != 0) outcome = fail_errno(errno, "chmod {}", temporary);
  if (outcome && durability == Durability::synced && ::fdatasync(fd.get()) != 0) {
    outcome = fail_errno(errno, "sync {}", temporary);
  }
  if (outcome && ::renameat(dirfd, temporary.c_str(), dirfd, name.c_str()) != 0) {
    outcome = fail_errno(errno, "rename {} to {}", temporary, name);
  }
  if (!outcome) {
    ::unlinkat(dirfd, temporary.c_str(), 0);
    return std::unexpected(std::move(outcome.error()).context(fmt::format("write {}", name)));
  }
  if (durability == Durability::synced) {
    const UniqueFd dir = TRY(open_at(dirfd, ".", O_RDONLY | O_DIRECTORY));
    if (::fsync(dir.get()) != 0) return fail_errno(errno, "sync the directory of {}", name);
  }
  return {};
}

Result<bool> ensure_dir_at(int dirfd, const std::string& name, mode_t mode) {
  if (::mkdirat(dirfd, name.c_str(), mode) == 0) return true;
  const int err = errno;
  if (err == EEXIST) {
    struct stat st{};
    if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) return false;
  }
  return fail_errno(err, "make the directory {}", name);
}

Result<> ensure_dirs(const std::string& path, mode_t mode) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!part.empty() && ::mkdir(part.c_str(), mode) != 0) {
      const int err = errno;
      struct stat st{};
      // Parents of berth's own directories may be links that the administrator made.
      if (err != EEXIST || ::stat(part.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
        return fail_errno(err, "make the directory {}", part);
      }
    }
    if (end == std::string::npos) return {};
  }
}

namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using DirStream = std::unique_ptr<DIR, CloseDir>;

// Takes the descriptor over.
Result<DirStream> dir_stream(UniqueFd fd) {
  DIR* dir = ::fdopendir(fd.get());
  if (dir == nullptr) return fail_errno(errno, "read a directory");
  [[maybe_unused]] const int owned_by_stream = fd.release();
  return DirStream(dir);
}

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

// Deep trees are hostile input, so the directories on the way are kept in a vector, not on the stack.
struct Level {
  DirStream stream;
  std::string name;
};

Result<Level> open_level(int dirfd, const std::string& name) {
  UniqueFd fd = TRY(open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return Level{TRY(dir_stream(std::move(fd))), name};
}

}  // namespace

Result<> remove_tree_at(int dirfd, const std::string& name) {
  if (::unlinkat(dirfd, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno(errno, "remove {}", name);
  std::vector<Level> levels;
  // Somebody else may be removing the same tree.
  const auto enter = [&levels](int parent, const std::string& child) -> Result<> {
    Result<Level> level = open_level(parent, child);
    if (level) levels.push_back(std::move(*level));
    if (!level && level.error().err != ENOENT) return std::unexpected(level.error());
    return {};
  };
  TRY(enter(dirfd, name));
  while (!levels.empty()) {
    const int here = ::dirfd(levels.back().stream.get());
    errno = 0;
    const dirent* entry = ::readdir(levels.back().stream.get());
    if (entry == nullptr) {
      if (errno != 0) return fail_errno(errno, "read the directory {}", levels.back().name);
      const std::string finished = levels.back().name;
      levels.pop_back();
      const int parent = levels.empty() ? dirfd : ::dirfd(levels.back().stream.get());
      if (::unlinkat(parent, finished.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return fail_errno(errno, "remove the directory {}", finished);
      }
      continue;
    }
    if (is_dot(entry->d_name)) continue;
    const std::string child = entry->d_name;
    if (entry->d_type != DT_DIR) {
      if (::unlinkat(here, child.c_str(), 0) == 0 || errno == ENOENT) continue;
      if (errno != EISDIR) return fail_errno(errno, "remove {}", child);
    }
    TRY(enter(here, child));
  }
  return {};
}

Result<std::vector<std::string>> list_dir(int dirfd) {
  UniqueFd fd = TRY(open_at(dirfd, ".", O_RDONLY | O_DIRECTORY));
  const DirStream stream = TRY(dir_stream(std::move(fd)));
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) return fail_errno(errno, "read a directory");
      return names;
    }
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  }
}

Result<struct stat> stat_at(int dirfd, const std::string& path, int flags) {
  struct stat st{};
  if (::fstatat(dirfd, path.c_str(), &st, flags) != 0) return fail_errno(errno, "stat {}", path);
  return st;
}

bool exists_at(int dirfd, const std::string& path) {
  struct stat st{};
  return ::fstatat(dirfd, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

namespace {
Result<UniqueFd> open_and_lock(int dirfd, const std::string& name, int operation, int creation = O_CREAT) {
  UniqueFd fd = TRY(open_at(dirfd, name, O_RDWR | O_NOFOLLOW | creation, 0600));
  int rc = 0;
  do {
    rc = ::flock(fd.get(), operation);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0 && errno == EWOULDBLOCK) return fail(Code::conflict, "{} is locked by another process", name);
  if (rc != 0) return fail_errno(errno, "lock {}", name);
  return fd;
}
}  // namespace

Result<FileLock> FileLock::exclusive(int dirfd, const std::string& name) {
  return FileLock(TRY(open_and_lock(dirfd, name, LOCK_EX)));
}
Result<FileLock> FileLock::shared(int dirfd, const std::string& name) {
  return FileLock(TRY(open_and_lock(dirfd, name, LOCK_SH)));
}
Result<FileLock> FileLock::try_exclusive(int dirfd, const std::string& name) {
  return FileLock(TRY(open_and_lock(dirfd, name, LOCK_EX | LOCK_NB)));
}
Result<FileLock> FileLock::try_existing(int dirfd, const std::string& name) {
  return FileLock(TRY(open_and_lock(dirfd, name, LOCK_EX | LOCK_NB, 0)));
}

Result<FileLock> FileLock::inherited(int dirfd, const std::string& name, UniqueFd fd) {
  const struct stat wanted = TRY(stat_at(dirfd, name, AT_SYMLINK_NOFOLLOW));
  struct stat held{};
  const bool same =
      ::fstat(fd.get(), &held) == 0 && held.st_dev == wanted.st_dev && held.st_ino == wanted.st_ino;
  if (!same || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(Code::conflict, "descriptor {} is not the lock {}", fd.get(), name);
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  return FileLock(std::move(fd));
}

}  // namespace berth::sys
