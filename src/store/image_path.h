// Where a path leads inside an image's root file system, by name. For places that a layer on top of the image
// must cover: a path through links would cover the link, not what it leads to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/error.h"
#include "store/layer_stack.h"
#include "sys/unique_fd.h"

namespace berth::store {

struct ImagePath {
  // From the root on; none is "." or "..", and none that exists is a link.
  std::vector<std::string> parts;
  // How many of the parts, from the first on, exist. All but the last of those are directories.
  size_t existing = 0;
  // What is there, where all parts exist: an O_PATH descriptor and its attributes.
  sys::UniqueFd handle;
  std::optional<struct stat> target;
  // Every directory that was searched on the way, the root first: who may not search one of them can't get
  // there.
  std::vector<struct stat> searched;

  [[nodiscard]] bool exists() const { return target.has_value(); }
  // The first `count` parts, separated by slashes; "" for the root.
  [[nodiscard]] std::string prefix(size_t count) const;
  [[nodiscard]] std::string text() const { return prefix(parts.size()); }
};

// Follows links, the last one too, as the kernel does: inside the stack as if it were "/", 40 at most. A last
// link that leads to nothing gives the place it leads to. Code::refused: a loop, a path through something
// that is no directory, one that is too long. The layers must not change meanwhile (an image's do not).
Result<ImagePath> follow(const LayerStack& layers, std::string_view path);

// A regular file of at most `limit` bytes. None if there is no such file. Code::refused for a larger one, for
// anything else than a file, and for what follow() refuses.
Result<std::optional<std::string>> read_file(const LayerStack& layers, std::string_view path, size_t limit);

}  // namespace berth::store
