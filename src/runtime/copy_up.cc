#include "runtime/copy_up.h"

#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/copy_content.h"
#include "sys/file.h"
#include "sys/openat2.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

namespace {

struct Level {
  sys::UniqueFd from;
  sys::UniqueFd to;
  struct stat attributes{};
  std::vector<std::string> names;
};

Result<> copy_attributes(int to, const struct stat& st) {
  if (::fchown(to, st.st_uid, st.st_gid) != 0) return fail_errno(errno, "set the owner of a copy");
  if (::fchmod(to, st.st_mode & 07777U) != 0) return fail_errno(errno, "set the mode of a copy");
  const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
  if (::futimens(to, times.data()) != 0) return fail_errno(errno, "set the time of a copy");
  return {};
}

Result<Level> enter(sys::UniqueFd from, sys::UniqueFd to) {
  Level level{.from = std::move(from), .to = std::move(to)};
  level.attributes = TRY(sys::stat_at(level.from.get(), "", AT_EMPTY_PATH));
  level.names = TRY(sys::list_dir(level.from.get()));
  return level;
}

Result<sys::UniqueFd> open_beneath(int directory, const std::string& name, int flags) {
  return sys::open_at2(directory, name, static_cast<uint64_t>(flags | O_NOFOLLOW), 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

Result<> copy_link(const Level& level, const std::string& name, const struct stat& st) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(level.from.get(), name.c_str(), target.data(), target.size() - 1);
  if (length < 0) return fail_errno(errno, "read the link {}", name);
  if (::symlinkat(target.data(), level.to.get(), name.c_str()) != 0 ||
      ::fchownat(level.to.get(), name.c_str(), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "copy the link {}", name);
  return {};
}

Result<> copy_file(const Level& level, const std::string& name) {
  const sys::UniqueFd from = TRY(open_beneath(level.from.get(), name, O_RDONLY | O_NONBLOCK));
  const struct stat st = TRY(sys::stat_at(from.get(), "", AT_EMPTY_PATH));
  if (!S_ISREG(st.st_mode)) return {};  // it has been changed meanwhile
  const sys::UniqueFd to = TRY(sys::open_at(level.to.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(sys::copy_content(from.get(), to.get(), st));
  return copy_attributes(to.get(), st);
}

Result<Level> copy_directory(const Level& level, const std::string& name) {
  sys::UniqueFd from = TRY(open_beneath(level.from.get(), name, O_RDONLY | O_DIRECTORY));
  TRY(sys::ensure_dir_at(level.to.get(), name, 0700));
  sys::UniqueFd to = TRY(sys::open_at(level.to.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return enter(std::move(from), std::move(to));
}

}  // namespace

Result<> copy_up(const safepath::Root& root, const std::string& path, int to) {
  Result<sys::UniqueFd> from = root.open(path, O_RDONLY | O_DIRECTORY);
  if (!from && (from.error().err == ENOENT || from.error().err == ENOTDIR)) return {};
  if (!from) return std::unexpected(from.error());
  std::vector<Level> levels;
  sys::UniqueFd top = TRY(sys::open_at(to, ".", O_RDONLY | O_DIRECTORY));
  levels.push_back(TRY(enter(std::move(*from), std::move(top))));
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.names.empty()) {
      TRY(copy_attributes(level.to.get(), level.attributes));
      levels.pop_back();
      continue;
    }
    const std::string name = std::move(level.names.back());
    level.names.pop_back();
    const struct stat st = TRY(sys::stat_at(level.from.get(), name, AT_SYMLINK_NOFOLLOW));
    if (S_ISLNK(st.st_mode)) TRY(copy_link(level, name, st));
    if (S_ISREG(st.st_mode)) TRY_CONTEXT(copy_file(level, name), "{}", name);
    if (S_ISDIR(st.st_mode)) {
      Level below = TRY_CONTEXT(copy_directory(level, name), "{}", name);
      levels.push_back(std::move(below));
    }
  }
  return {};
}

}  // namespace berth::runtime
