#include "sys/tree_size.h"

#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/file.h"

namespace berth::sys {

namespace {

constexpr size_t kMaxDepth = 256;

struct Level {
  UniqueFd directory;
  std::vector<std::string> names;  // that are left
};

class Measurement {
 public:
  Measurement(dev_t device, int64_t most) : device_(device), most_(most) {}

  Result<TreeSize> of(UniqueFd top) {
    TRY(enter(std::move(top)));
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.names.empty()) {
        levels_.pop_back();
        continue;
      }
      const std::string name = std::move(level.names.back());
      level.names.pop_back();
      if (size_.entries == most_) {
        size_.whole = false;
        break;
      }
      TRY(look_at(level.directory.get(), name));
    }
    return size_;
  }

 private:
  Result<> enter(UniqueFd directory) {
    std::vector<std::string> names = TRY(list_dir(directory.get()));
    levels_.push_back({std::move(directory), std::move(names)});
    return {};
  }

  Result<> look_at(int directory, const std::string& name) {
    struct stat st{};
    if (::fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return errno == ENOENT ? Result<>() : fail_errno(errno, "stat {}", name);
    if (st.st_dev != device_) return {};
    ++size_.entries;
    const bool is_directory = S_ISDIR(st.st_mode);
    if (is_directory || st.st_nlink == 1 || linked_.insert(st.st_ino).second)
      size_.bytes += int64_t{st.st_blocks} * 512;
    if (!is_directory) return {};
    if (levels_.size() > kMaxDepth) {
      size_.whole = false;
      return {};
    }
    Result<UniqueFd> below = open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!below && (below.error().err == ENOENT || below.error().err == ENOTDIR || below.error().err == ELOOP))
      return {};
    if (!below) return std::unexpected(below.error());
    return enter(std::move(*below));
  }

  dev_t device_;
  int64_t most_;
  TreeSize size_;
  std::set<ino_t> linked_;
  std::vector<Level> levels_;
};

}  // namespace

Result<TreeSize> measure_tree(int dirfd, const std::string& name, int64_t most) {
  Result<UniqueFd> top = open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!top && top.error().err == ENOENT) return TreeSize{};
  if (!top) return std::unexpected(top.error());
  const struct stat st = TRY(stat_at(top->get(), "", AT_EMPTY_PATH));
  return Measurement(st.st_dev, most).of(std::move(*top));
}

}  // namespace berth::sys
