// The merged view of stacked layers, read without mounting anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::store {

// Layers in overlayfs's form, resolved by overlayfs's rules: the highest that has a name wins, directories
// merge, whiteouts and opaque directories hide. Links are followed as if the stack were "/". Each step opens
// one name of one layer without following links, so nothing in a layer can lead out of it.
class LayerStack {
 public:
  // Open directories, lowest first.
  explicit LayerStack(std::vector<sys::UniqueFd> layers);

  // A regular file of at most `limit` bytes. None if there is no such file. Code::refused for a larger one or
  // anything else than a file.
  [[nodiscard]] Result<std::optional<std::string>> read_file(std::string_view path, size_t limit) const;

  // The directory `path` of the highest layer that has it (no links on the way): its attributes are the
  // merged directory's. None if the stack has no directory there.
  [[nodiscard]] Result<std::optional<sys::UniqueFd>> find_directory(std::string_view path) const;

 private:
  std::vector<sys::UniqueFd> layers_;  // highest first
};

}  // namespace berth::store
