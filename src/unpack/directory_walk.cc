#include "unpack/directory_walk.h"

#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/file.h"
#include "unpack/layer_path.h"

namespace berth::unpack {

namespace {
constexpr unsigned kMostLinks = 40;  // as the kernel (MAXSYMLINKS)
constexpr mode_t kPrivate = 0700;

sys::UniqueFd open_directory(int dirfd, const std::string& name) {
  return sys::UniqueFd(::openat(dirfd, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}
}  // namespace

std::string DirectoryWalk::path_of(std::string_view name) const {
  std::string path = path_;
  if (!path.empty()) path += '/';
  path += name;
  return path;
}

std::string_view DirectoryWalk::name_at(size_t level) const {
  const size_t begin = level == 0 ? 0 : levels_[level - 1].path_length + 1;
  return std::string_view(path_).substr(begin, levels_[level].path_length - begin);
}

void DirectoryWalk::go_up_to(size_t depth) {
  levels_.resize(depth);
  path_.resize(depth == 0 ? 0 : levels_.back().path_length);
}

void DirectoryWalk::restart() {
  go_up_to(0);
}

void DirectoryWalk::push(sys::UniqueFd fd, std::string_view name) {
  path_ = path_of(name);
  levels_.push_back(Level{std::move(fd), path_.size()});
}

Result<int> DirectoryWalk::enter(const std::vector<std::string_view>& parts, Missing missing) {
  size_t common = 0;
  while (common < parts.size() && common < levels_.size() && name_at(common) == parts[common]) ++common;
  go_up_to(common);
  links_followed_ = 0;
  std::vector<std::string> ahead(parts.rbegin(),
                                 parts.rend() - static_cast<ptrdiff_t>(common));  // next at the back
  while (!ahead.empty()) {
    const std::string name = std::move(ahead.back());
    ahead.pop_back();
    TRY(step(name, missing, ahead));
  }
  return here();
}

Result<> DirectoryWalk::step(const std::string& name, Missing missing, std::vector<std::string>& ahead) {
  if (name == "..") {
    if (!levels_.empty()) go_up_to(levels_.size() - 1);
    return {};
  }
  if (levels_.size() >= limits_.depth || path_.size() + 1 + name.size() > limits_.path_length) {
    return fail(Code::refused, "\"{}…\" lies too deep", path_.substr(0, 64));
  }
  sys::UniqueFd fd = open_directory(here(), name);
  if (fd) {
    push(std::move(fd), name);
    return {};
  }
  const int err = errno;
  bool over_whiteout = false;
  if (err == ENOTDIR || err == ELOOP) {
    const struct stat st = TRY(sys::stat_at(here(), name, AT_SYMLINK_NOFOLLOW));
    if (S_ISLNK(st.st_mode)) return follow_link(name, ahead);
    over_whiteout = S_ISCHR(st.st_mode) && st.st_rdev == ::makedev(0, 0);
    if (!over_whiteout) return fail(Code::refused, "\"{}\" is not a directory", path_of(name));
  } else if (err != ENOENT) {
    return fail_errno(err, "open the directory {}", path_of(name));
  }
  if (missing == Missing::refuse) return fail(Code::refused, "\"{}\" is not in this layer", path_of(name));
  if (over_whiteout && ::unlinkat(here(), name.c_str(), 0) != 0) {
    return fail_errno(errno, "remove {}", path_of(name));
  }
  if (::mkdirat(here(), name.c_str(), kPrivate) != 0) {
    return fail_errno(errno, "make the directory {}", path_of(name));
  }
  fd = open_directory(here(), name);
  if (!fd) return fail_errno(errno, "open the directory {}", path_of(name));
  push(std::move(fd), name);
  made_(path_, over_whiteout);
  return {};
}

Result<> DirectoryWalk::follow_link(const std::string& name, std::vector<std::string>& ahead) {
  if (++links_followed_ > kMostLinks) {
    return fail(Code::refused, "\"{}\" goes through too many symbolic links", path_of(name));
  }
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(here(), name.c_str(), target.data(), target.size());
  if (length < 0) return fail_errno(errno, "read the link {}", path_of(name));
  target.resize(static_cast<size_t>(length));
  if (target.starts_with('/')) go_up_to(0);
  const std::vector<std::string_view> parts = path_parts(target);
  ahead.insert(ahead.end(), parts.rbegin(), parts.rend());
  return {};
}

}  // namespace berth::unpack
