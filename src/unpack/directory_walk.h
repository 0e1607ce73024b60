// Goes from directory to directory of a layer that is being unpacked, one checked step at a time, and keeps
// the directories it is in open: the next entry of a tar mostly lies where the last one did.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sys/unique_fd.h"
#include "unpack/limits.h"

namespace berth::unpack {

class DirectoryWalk {
 public:
  enum class Missing { make, refuse };
  // Called for each directory that the walk made (0700), with its path; `over_whiteout` if a whiteout of the
  // same layer was there.
  using Made = std::function<void(const std::string& path, bool over_whiteout)>;

  // `root` stays the caller's.
  DirectoryWalk(int root, const Limits& limits, Made made)
      : root_(root), limits_(limits), made_(std::move(made)) {}

  // Goes to a directory given by its parts from the root. A symbolic link on the way is followed inside the
  // layer only, as if the root were "/": each step opens one name without following links, so no text of the
  // archive is ever resolved by the kernel. Gives a descriptor that is good until the next call.
  Result<int> enter(const std::vector<std::string_view>& parts, Missing missing);

  // Where the walk is: without links, without a leading slash, "" for the root.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path_of(std::string_view name) const;

  // Closes all that is open, because a directory was removed.
  void restart();

 private:
  struct Level {
    sys::UniqueFd fd;
    size_t path_length = 0;  // of path_ up to here
  };
  [[nodiscard]] int here() const { return levels_.empty() ? root_ : levels_.back().fd.get(); }
  [[nodiscard]] std::string_view name_at(size_t level) const;
  void go_up_to(size_t depth);
  void push(sys::UniqueFd fd, std::string_view name);
  Result<> step(const std::string& name, Missing missing, std::vector<std::string>& ahead);
  Result<> follow_link(const std::string& name, std::vector<std::string>& ahead);

  int root_;
  const Limits& limits_;
  Made made_;
  std::vector<Level> levels_;
  std::string path_;
  unsigned links_followed_ = 0;
};

}  // namespace berth::unpack
