// Where `berth cp` copies from and to.
#pragma once

#include <string>
#include <string_view>

#include <sys/stat.h>

#include "base/error.h"
#include "engine/files/container_root.h"
#include "sys/unique_fd.h"

namespace berth::transfer {

// The host's files, or a container's.
class CopySpace {
 public:
  // Null: the host's. The root outlives this.
  explicit CopySpace(const engine::ContainerRoot* root) : root_(root) {}
  // As openat(2); links lead nowhere out of a container.
  [[nodiscard]] Result<sys::UniqueFd> open(const std::string& path, int flags) const;
  [[nodiscard]] const engine::ContainerRoot* container() const { return root_; }

 private:
  const engine::ContainerRoot* root_;
};

struct CopySource {
  sys::UniqueFd handle;  // O_PATH
  struct stat attributes{};
  std::string name;       // the last one of its path; empty where that is none
  bool contents = false;  // of a directory: what is in it is meant
  [[nodiscard]] bool is_directory() const { return S_ISDIR(attributes.st_mode); }
};
Result<CopySource> find_source(const CopySpace& space, const std::string& path, bool follow);

struct CopyTarget {
  sys::UniqueFd directory;  // open for reading
  std::string name;         // what the source is called there; empty: what is in it goes right there
};
Result<CopyTarget> find_target(const CopySpace& space, const std::string& path, const CopySource& source,
                               bool overwrite);
// A directory that is there, for a tar.
Result<CopyTarget> find_directory(const CopySpace& space, const std::string& path);

}  // namespace berth::transfer
