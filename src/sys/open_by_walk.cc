#include "sys/open_by_walk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/mount_table.h"

namespace berth::sys {

namespace {

constexpr int kMostLinks = 40;  // path_resolution(7)

// Inodes of /proc from here on are made by name (fs/proc/generic.c, PROC_DYNAMIC_FIRST): "self" and "mounts"
// are links like others. Those below belong to processes, and theirs are magic. A link that is mistaken for a
// plain one is resolved by its text, which leads nowhere else than a plain one could.
constexpr uint64_t kFirstPlainProcInode = 0xF0000000;

Result<bool> is_magic(int link, const struct stat& st) {
  struct statfs found{};
  if (::fstatfs(link, &found) != 0) return fail_errno(errno, "look at a link");
  return found.f_type == PROC_SUPER_MAGIC && st.st_ino < kFirstPlainProcInode;
}

class Walk {
 public:
  Walk(int base, uint64_t flags, uint64_t mode, uint64_t resolve)
      : base_(base), flags_(static_cast<int>(flags)), mode_(static_cast<mode_t>(mode)), resolve_(resolve) {}

  Result<UniqueFd> open(std::string_view path) {
    if (path.empty()) return fail_errno(ENOENT, "open a path");
    if (path.ends_with('/')) flags_ |= O_DIRECTORY;
    rest_ = path;
    TRY(begin());
    while (true) {
      const std::string name = next_name();
      if (name.empty()) return finish(".");
      const bool last = rest_.find_first_not_of('/') == std::string::npos;
      if (name == "..") {
        TRY(go_up());
        continue;
      }
      if (last && (flags_ & O_CREAT) != 0 && (flags_ & O_EXCL) != 0) return finish(name);
      Result<UniqueFd> below = look(name);
      if (last && !below && below.error().err == ENOENT && (flags_ & O_CREAT) != 0) return finish(name);
      if (!below) return below;
      struct stat st{};
      if (::fstat(below->get(), &st) != 0) return fail_errno(errno, "look at a name");
      if (S_ISLNK(st.st_mode)) {
        if (last && (flags_ & O_NOFOLLOW) != 0) return last_link(std::move(*below));
        TRY(follow(below->get(), st));
        continue;
      }
      if (last) return last_name(name, std::move(*below), st);
      if (!S_ISDIR(st.st_mode)) return fail_errno(ENOTDIR, "open a name");
      names_.push_back(name);
      here_ = std::move(*below);
    }
  }

 private:
  [[nodiscard]] bool has(uint64_t flag) const { return (resolve_ & flag) != 0; }

  // The root of the walk, or where an absolute path starts.
  Result<> begin() {
    const bool absolute = rest_.starts_with('/');
    if (absolute && has(RESOLVE_BENEATH)) return fail_errno(EXDEV, "open an absolute path");
    start_at_root_ = start_at_root_ || (absolute && !has(RESOLVE_IN_ROOT));
    names_.clear();
    return restart();
  }

  Result<> restart() {
    here_ = TRY(start_at_root_ ? open_directory(AT_FDCWD, "/") : open_directory(base_, "."));
    if (!has(RESOLVE_NO_XDEV)) return {};
    if (mount_) return check_mount(here_.get());
    mount_ = TRY(mount_of(here_.get()));
    return {};
  }

  static Result<UniqueFd> open_directory(int at, const char* name) {
    const int fd = ::openat(at, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno(errno, "open a directory");
    return UniqueFd(fd);
  }

  std::string next_name() {
    while (true) {
      const size_t begin = rest_.find_first_not_of('/');
      if (begin == std::string::npos) return {};
      const size_t end = std::min(rest_.find('/', begin), rest_.size());
      std::string name = rest_.substr(begin, end - begin);
      rest_.erase(0, end);
      if (name != ".") return name;
    }
  }

  Result<UniqueFd> look(const std::string& name) {
    const int fd = ::openat(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return fail_errno(errno, "open a name");
    UniqueFd below(fd);
    if (has(RESOLVE_NO_XDEV)) TRY(check_mount(below.get()));
    return below;
  }

  // From the beginning: what was walked through may be elsewhere by now, and its parent outside.
  Result<> go_up() {
    if (names_.empty()) {
      if (has(RESOLVE_IN_ROOT)) return {};
      if (has(RESOLVE_BENEATH)) return fail_errno(EXDEV, "leave the directory");
      UniqueFd above = TRY(open_directory(here_.get(), ".."));
      if (has(RESOLVE_NO_XDEV)) TRY(check_mount(above.get()));
      here_ = std::move(above);
      return {};
    }
    names_.pop_back();
    TRY(restart());
    for (const std::string& name : names_) {
      UniqueFd below = TRY(look(name));
      struct stat st{};
      if (::fstat(below.get(), &st) != 0) return fail_errno(errno, "look at a name");
      // It was a directory: somebody is changing the tree.
      if (!S_ISDIR(st.st_mode)) return fail_errno(EAGAIN, "open a name");
      here_ = std::move(below);
    }
    return {};
  }

  Result<> follow(int link, const struct stat& st) {
    if (has(RESOLVE_NO_SYMLINKS) || ++links_ > kMostLinks) return fail_errno(ELOOP, "follow a link");
    if (has(RESOLVE_NO_MAGICLINKS) && TRY(is_magic(link, st))) return fail_errno(ELOOP, "follow a link");
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlinkat(link, "", target.data(), target.size());
    if (length < 0) return fail_errno(errno, "read a link");
    if (length == 0) return fail_errno(ENOENT, "follow a link");
    if (static_cast<size_t>(length) == target.size()) return fail_errno(ENAMETOOLONG, "follow a link");
    const std::string text(target.data(), static_cast<size_t>(length));
    if (text.ends_with('/') && rest_.find_first_not_of('/') == std::string::npos) flags_ |= O_DIRECTORY;
    rest_ = text + (rest_.empty() ? "" : "/" + rest_);
    return text.starts_with('/') ? begin() : Result<>();
  }

  Result<UniqueFd> last_link(UniqueFd link) const {
    if ((flags_ & O_PATH) == 0) return fail_errno(ELOOP, "open a link");
    if ((flags_ & O_DIRECTORY) != 0) return fail_errno(ENOTDIR, "open a link");
    return link;
  }

  Result<UniqueFd> last_name(const std::string& name, UniqueFd below, const struct stat& st) {
    if ((flags_ & O_DIRECTORY) != 0 && !S_ISDIR(st.st_mode)) return fail_errno(ENOTDIR, "open a name");
    if ((flags_ & O_PATH) != 0) return below;
    return finish(name);
  }

  // What is there by now, but never what a link leads to, and nothing outside this directory.
  Result<UniqueFd> finish(const std::string& name) {
    const int fd = ::openat(here_.get(), name.c_str(), flags_ | O_NOFOLLOW | O_CLOEXEC, mode_);
    if (fd < 0 && errno == ELOOP) return fail_errno(EAGAIN, "open a name");
    if (fd < 0) return fail_errno(errno, "open a name");
    UniqueFd opened(fd);
    if (has(RESOLVE_NO_XDEV)) TRY(check_mount(opened.get()));
    return opened;
  }

  struct Mount {
    uint64_t device = 0;
    uint64_t id = 0;
  };

  static Result<Mount> mount_of(int fd) {
    struct stat st{};
    if (::fstat(fd, &st) != 0) return fail_errno(errno, "look at a mount");
    return Mount{st.st_dev, TRY(mount_id_of(fd))};
  }

  [[nodiscard]] Result<> check_mount(int fd) const {
    const Mount there = TRY(mount_of(fd));
    if (there.device == mount_->device && there.id == mount_->id) return {};
    return fail_errno(EXDEV, "stay on the mount");
  }

  int base_;
  int flags_;
  mode_t mode_;
  uint64_t resolve_;
  std::string rest_;                // what is still to be walked
  std::vector<std::string> names_;  // the directories that were walked through, from the start
  UniqueFd here_;
  bool start_at_root_ = false;
  int links_ = 0;
  std::optional<Mount> mount_;  // with RESOLVE_NO_XDEV: where it starts
};

}  // namespace

Result<UniqueFd> open_by_walk(int dirfd, const std::string& path, uint64_t flags, uint64_t mode,
                              uint64_t resolve) {
  // Somebody who renames all the time is not waited for without end, as with openat2.
  constexpr int kAttempts = 128;
  for (int attempt = 0;; ++attempt) {
    Result<UniqueFd> opened = Walk(dirfd, flags, mode, resolve).open(path);
    if (opened) return opened;
    const int err = opened.error().err;
    if (err != EAGAIN || attempt == kAttempts) return fail_errno(err, "open {}", path);
  }
}

}  // namespace berth::sys
