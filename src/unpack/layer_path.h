// Names in a layer's tar: what is allowed, and which mean something else than a file (OCI image-spec,
// layer.md, "Whiteouts").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "unpack/limits.h"

namespace berth::unpack {

enum class NameKind {
  ordinary,
  whiteout,  // ".wh.NAME": NAME is gone from the layers below
  opaque,    // ".wh..wh..opq": all that the layers below have in this directory is gone
  ignored,   // ".wh..wh.*" else: bookkeeping that AUFS left in old images
};

// Views into the text that was parsed.
struct LayerPath {
  std::vector<std::string_view> parents;
  std::string_view name;  // of a whiteout: the name that is hidden; empty: the layer's root itself
  NameKind kind = NameKind::ordinary;
};

// Leading slashes and "." parts mean nothing, as everywhere. Refused are "..", NUL, names too long, too many
// parts, and whiteouts that hide no possible name.
Result<LayerPath> parse_layer_path(std::string_view path, const Limits& limits);

// The parts of a link's target: as above, but ".." is a part and nothing has a special meaning.
std::vector<std::string_view> path_parts(std::string_view path);

}  // namespace berth::unpack
