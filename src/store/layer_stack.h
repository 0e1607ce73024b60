// The merged view of stacked layers, read without mounting anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/error.h"
#include "store/store.h"
#include "sys/unique_fd.h"

namespace berth::store {

struct StackEntry;

// A directory of the merged view: those of the layers that make it up.
class MergedDirectory {
 public:
  // Open for reading, highest first.
  explicit MergedDirectory(std::vector<sys::UniqueFd> layers) : layers_(std::move(layers)) {}

  // What `name`, a single part of a path and not "..", is in it; links are not followed. None if there is
  // nothing. Code::refused for a name that no file can have.
  [[nodiscard]] Result<std::optional<StackEntry>> look_up(const std::string& name) const;

  // Each once, sorted. Names that a whiteout hides may be among them; look_up() finds nothing under those.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

  // The highest layer's own directory, open for reading.
  [[nodiscard]] int fd() const { return layers_.front().get(); }

 private:
  std::vector<sys::UniqueFd> layers_;
};

struct StackEntry {
  sys::UniqueFd handle;  // O_PATH; of the highest layer that has it, whose attributes are the merged ones
  struct stat attributes{};
  std::optional<MergedDirectory> directory;  // if it is one
};

// Layers in overlayfs's form, resolved by overlayfs's rules: the highest that has a name wins, directories
// merge, whiteouts and opaque directories hide. Each step opens one name of one layer without following
// links, so nothing in a layer can lead out of it. No mount is needed, so it works with every kernel.
class LayerStack {
 public:
  // Open directories, lowest first.
  explicit LayerStack(std::vector<sys::UniqueFd> layers);
  // Directories below layers/ of a store, lowest first.
  static Result<LayerStack> open(const Store& store, const std::vector<std::string>& directories);

  [[nodiscard]] bool empty() const { return layers_.empty(); }
  // Of a stack that is not empty.
  [[nodiscard]] Result<StackEntry> root() const;
  // The directory `path` (no link and no ".." on the way), open for reading in the highest layer that has it:
  // its attributes are the merged directory's. None if the stack has no directory there.
  [[nodiscard]] Result<std::optional<sys::UniqueFd>> find_directory(std::string_view path) const;

 private:
  std::vector<sys::UniqueFd> layers_;  // highest first
};

}  // namespace berth::store
