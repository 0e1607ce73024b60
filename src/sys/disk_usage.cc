#include "sys/disk_usage.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "sys/file.h"

namespace berth::sys {

namespace {

class Usage {
 public:
  void add(const struct stat& st) {
    constexpr int64_t kBlock = 512;  // of st_blocks, whatever the file system's is
    if (st.st_nlink > 1 && !S_ISDIR(st.st_mode) && !seen_.emplace(st.st_dev, st.st_ino).second) return;
    bytes_ += st.st_blocks * kBlock;
  }

  // A container makes directories as deep as it likes: what is too deep to have its directories open does not
  // count.
  Result<> add_below(UniqueFd top) {
    std::vector<std::pair<UniqueFd, std::vector<std::string>>> open;
    std::vector<std::string> names = TRY(list_dir(top.get()));
    open.emplace_back(std::move(top), std::move(names));
    while (!open.empty()) {
      auto& [directory, left] = open.back();
      if (left.empty()) {
        open.pop_back();
        continue;
      }
      const std::string name = std::move(left.back());
      left.pop_back();
      const Result<struct stat> st = stat_at(directory.get(), name, AT_SYMLINK_NOFOLLOW);
      if (!st) continue;
      add(*st);
      if (!S_ISDIR(st->st_mode) || open.size() >= kDeepest) continue;
      Result<UniqueFd> below = open_at(directory.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!below) continue;
      std::vector<std::string> inside = TRY(list_dir(below->get()));
      open.emplace_back(std::move(*below), std::move(inside));
    }
    return {};
  }

  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kDeepest = 500;  // within the usual limit of open files
  int64_t bytes_ = 0;
  std::set<std::pair<dev_t, ino_t>> seen_;  // of those with several names
};

}  // namespace

Result<int64_t> disk_usage_at(int dirfd, const std::string& path) {
  UniqueFd top = TRY(open_at(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  Usage usage;
  usage.add(TRY(stat_at(top.get(), "", AT_EMPTY_PATH)));
  TRY(usage.add_below(std::move(top)));
  return usage.bytes();
}

}  // namespace berth::sys
