// Writes the entries of one layer below a directory, in identity mapping, with whiteouts in overlayfs's form.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/unique_fd.h"
#include "unpack/attributes.h"
#include "unpack/directory_walk.h"
#include "unpack/layer_path.h"
#include "unpack/limits.h"
#include "unpack/tar_entry.h"
#include "unpack/tar_reader.h"

namespace berth::unpack {

struct TreeSummary {
  uint64_t bytes = 0;  // of data in files
  uint64_t entries = 0;
  // Directories that are only there because something lies in them: the archive gives no attributes for them,
  // so those of the layers below are meant ("" is the root). They have mode 0755, owner 0:0 and time 0 so
  // far.
  std::vector<std::string> implicit_directories;
  bool opaque_root = false;  // all layers below are hidden
};

// The directory must be empty and within reach of nobody else. A later entry takes the place of an earlier
// one of the same name; two directories become one. Errors with Code::refused are the archive's fault.
class LayerTree {
 public:
  LayerTree(sys::UniqueFd root, const Limits& limits);

  // Data of a file is read from `reader`.
  Result<> add(const TarEntry& entry, TarReader& reader);
  // Gives all directories their attributes.
  Result<TreeSummary> finish();

 private:
  struct Directory {
    Attributes attributes;
    bool in_archive = false;
    bool opaque = false;
  };
  Result<> add_directory(const TarEntry& entry, const LayerPath& path);
  Result<> add_whiteout(const LayerPath& path);
  Result<> add_file(const TarEntry& entry, const LayerPath& path, TarReader& reader);
  Result<> add_hard_link(const TarEntry& entry, const LayerPath& path);
  Result<> add_special(const TarEntry& entry, const LayerPath& path);
  Result<> write_data(int fd, const TarEntry& entry, TarReader& reader);
  Result<> remember(const std::string& path, const TarEntry& entry);
  // Removes what is at a name of the walk's directory.
  Result<> clear(int dirfd, const std::string& name);
  void forget_below(const std::string& path);
  Result<> drop_pointless_whiteouts();
  Result<> finish_directory(const std::string& path, const Directory& directory);

  sys::UniqueFd root_;
  const Limits& limits_;
  DirectoryWalk walk_;
  DirectoryWalk target_walk_;
  std::map<std::string, Directory> directories_;
  std::set<std::string> whiteouts_;
  size_t attribute_bytes_ = 0;
  TreeSummary summary_;
};

}  // namespace berth::unpack
