#include "safepath/root.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/descriptor_path.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::safepath {

namespace {
constexpr uint64_t kResolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
}  // namespace

std::string relative(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") {
      if (!out.empty()) out += '/';
      out += part;
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

Result<Root> Root::open(int dirfd, const std::string& path) {
  return Root(TRY(sys::open_at(dirfd, path, O_PATH | O_DIRECTORY)));
}

Result<sys::UniqueFd> Root::open(std::string_view path, int flags) const {
  if (path.find('\0') != std::string_view::npos) return fail(Code::refused, "the path holds a NUL byte");
  std::string inside = relative(path);
  if (inside.empty()) inside = ".";
  return sys::open_at2(dir_.get(), inside, static_cast<uint64_t>(flags), 0, kResolve);
}

Result<std::string> Root::read_file(std::string_view path, size_t limit) const {
  // O_PATH first: opening a device or a FIFO could act on it.
  const sys::UniqueFd handle = TRY(open(path, O_PATH));
  const struct stat st = TRY(sys::stat_at(handle.get(), "", AT_EMPTY_PATH));
  if (!S_ISREG(st.st_mode)) return fail(Code::refused, "{} is not a regular file", path);
  const sys::UniqueFd fd =
      TRY(sys::open_at(AT_FDCWD, sys::descriptor_path(handle.get()), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  return TRY_CONTEXT(sys::read_all(fd.get(), limit), "read {}", path);
}

Result<sys::UniqueFd> Root::make_dirs(std::string_view path, mode_t mode) const {
  if (path.find('\0') != std::string_view::npos) return fail(Code::refused, "the path holds a NUL byte");
  const std::string inside = relative(path);
  Result<sys::UniqueFd> whole = open(inside, O_PATH | O_DIRECTORY);
  if (whole || whole.error().err != ENOENT) return whole;
  // From the end: mostly the last name alone is missing.
  const size_t slash = inside.rfind('/');
  const std::string name = slash == std::string::npos ? inside : inside.substr(slash + 1);
  if (name.empty()) return whole;
  const sys::UniqueFd parent =
      TRY(make_dirs(slash == std::string::npos ? "" : inside.substr(0, slash), mode));
  if (name == "..") return open(inside, O_PATH | O_DIRECTORY);
  // A dangling link can't be made a directory; mkdirat says EEXIST and the second open says ENOENT again.
  if (::mkdirat(parent.get(), name.c_str(), mode) != 0 && errno != EEXIST)
    return fail_errno(errno, "make the directory /{}", inside);
  return open(inside, O_PATH | O_DIRECTORY);
}

Result<sys::UniqueFd> Root::make_file(std::string_view path) const {
  Result<sys::UniqueFd> existing = open(path, O_PATH);
  if (existing || existing.error().err != ENOENT) return existing;
  const std::string inside = relative(path);
  const size_t slash = inside.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : inside.substr(0, slash);
  const std::string name = slash == std::string::npos ? inside : inside.substr(slash + 1);
  if (name.empty() || name == "..") return existing;
  const sys::UniqueFd parent = TRY(make_dirs(directory));
  const sys::UniqueFd parent_dir = TRY(sys::open_at(parent.get(), ".", O_RDONLY | O_DIRECTORY));
  const Result<sys::UniqueFd> made =
      sys::open_at2(parent_dir.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644, kResolve);
  // Another container with the same volume may have made it meanwhile.
  if (!made && made.error().err != EEXIST) return std::unexpected(made.error());
  return open(path, O_PATH);
}

}  // namespace berth::safepath
