#include "store/layer_stack.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "sys/file.h"

namespace berth::store {

namespace {

constexpr unsigned kMostLinks = 40;  // as the kernel (MAXSYMLINKS)

// A directory of the merged view: the directories that make it up, highest first.
using Merged = std::vector<sys::UniqueFd>;

// What a name is in the merged view: nothing, a directory, or something else, which `handle` (O_PATH) is.
struct Found {
  Merged directory;
  sys::UniqueFd handle;
  mode_t mode = 0;  // S_IFMT and permissions; 0 for nothing
};

bool is_opaque(int fd) {
  std::array<char, 2> value{};
  return ::fgetxattr(fd, "trusted.overlay.opaque", value.data(), value.size()) == 1 && value[0] == 'y';
}

Result<Found> look_up(const Merged& in, const std::string& name) {
  Found found;
  for (const sys::UniqueFd& layer : in) {
    sys::UniqueFd handle(::openat(layer.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!handle && errno == ENOENT) continue;
    if (!handle) return fail_errno(errno, "open {} in a layer", name);
    const struct stat st = TRY(sys::stat_at(handle.get(), "", AT_EMPTY_PATH));
    if (!S_ISDIR(st.st_mode)) {
      const bool whiteout = S_ISCHR(st.st_mode) && st.st_rdev == ::makedev(0, 0);
      if (found.mode != 0 || whiteout) return found;
      found.handle = std::move(handle);
      found.mode = st.st_mode;
      return found;
    }
    if (found.mode == 0) found.mode = st.st_mode;
    sys::UniqueFd readable = TRY(sys::open_at(handle.get(), ".", O_RDONLY | O_DIRECTORY));
    const bool opaque = is_opaque(readable.get());
    found.directory.push_back(std::move(readable));
    if (opaque) return found;
  }
  return found;
}

Result<Merged> root_of(const std::vector<sys::UniqueFd>& layers) {
  Merged root;
  for (const sys::UniqueFd& layer : layers) {
    root.push_back(TRY(sys::open_at(layer.get(), ".", O_RDONLY | O_DIRECTORY)));
  }
  return root;
}

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

Result<std::string> link_target(int handle) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(handle, "", target.data(), target.size());
  if (length < 0) return fail_errno(errno, "read a link in a layer");
  target.resize(static_cast<size_t>(length));
  return target;
}

}  // namespace

LayerStack::LayerStack(std::vector<sys::UniqueFd> layers) : layers_(std::move(layers)) {
  std::reverse(layers_.begin(), layers_.end());
}

Result<std::optional<std::string>> LayerStack::read_file(std::string_view path, size_t limit) const {
  std::vector<std::string> ahead = parts_of(path);
  std::reverse(ahead.begin(), ahead.end());
  std::vector<Merged> way;  // the directories from the root to here
  way.push_back(TRY(root_of(layers_)));
  unsigned links = 0;
  while (!ahead.empty()) {
    const std::string name = std::move(ahead.back());
    ahead.pop_back();
    if (name == "..") {
      if (way.size() > 1) way.pop_back();
      continue;
    }
    Found found = TRY(look_up(way.back(), name));
    if (found.mode == 0) return std::nullopt;
    if (S_ISDIR(found.mode)) {
      way.push_back(std::move(found.directory));
    } else if (S_ISLNK(found.mode)) {
      if (++links > kMostLinks) return fail(Code::refused, "{} goes through too many links", path);
      const std::string target = TRY(link_target(found.handle.get()));
      if (target.starts_with('/')) way.resize(1);
      std::vector<std::string> parts = parts_of(target);
      ahead.insert(ahead.end(), parts.rbegin(), parts.rend());
    } else if (!ahead.empty()) {
      return std::nullopt;
    } else if (!S_ISREG(found.mode)) {
      return fail(Code::refused, "{} is not a regular file", path);
    } else {
      const sys::UniqueFd fd = TRY(sys::open_at(AT_FDCWD, fmt::format("/proc/self/fd/{}", found.handle.get()),
                                                O_RDONLY | O_NONBLOCK | O_NOCTTY));
      return TRY_CONTEXT(sys::read_all(fd.get(), limit), "read {}", path);
    }
  }
  return fail(Code::refused, "{} is not a regular file", path);
}

Result<std::optional<sys::UniqueFd>> LayerStack::find_directory(std::string_view path) const {
  Merged here = TRY(root_of(layers_));
  for (const std::string& name : parts_of(path)) {
    if (name == "..") return std::nullopt;
    Found found = TRY(look_up(here, name));
    if (!S_ISDIR(found.mode)) return std::nullopt;
    here = std::move(found.directory);
  }
  if (here.empty()) return std::nullopt;
  return std::optional(std::move(here.front()));
}

}  // namespace berth::store
