// A compressed layer, as a registry or an archive gives it, becomes a blob file and a directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "unpack/layer_tree.h"
#include "unpack/limits.h"

namespace berth::unpack {

// What is known of a layer before it is read. What is not known is not checked.
struct LayerExpectation {
  std::optional<std::string> blob;     // digest of what the source gives: "sha256:<hex>"
  std::optional<uint64_t> blob_size;   // in bytes
  std::optional<std::string> diff_id;  // digest of the tar uncompressed
  // A layer that comes uncompressed is kept compressed with gzip, and the result names that blob. Only
  // without `blob` and `blob_size`.
  bool compress = false;
};

enum class UnpackMode {
  tree,       // keep the blob and unpack it
  blob_only,  // keep the blob and check it, where its tree is there already
};

struct UnpackedLayer {
  std::string blob;  // digest of the blob file
  uint64_t blob_size = 0;
  std::string blob_media_type;  // of the OCI image-spec, by the compression found
  std::string diff_id;
  TreeSummary tree;  // empty for blob_only
};

// Names in the staging directory.
inline constexpr const char* kStagedBlob = "blob";
inline constexpr const char* kStagedTree = "tree";

// Reads `source` to its end on this thread and unpacks on another. Makes "blob" (0600) and "tree" (with the
// attributes of the layer's root) in `staging`, which must be empty and private; on an error what is there is
// the caller's to remove. Nothing is synced. Code::refused: the layer is damaged, hostile, or not what was
// expected; a source that gives more bytes than expected is not read further.
Result<UnpackedLayer> unpack_layer(ByteSource& source, const LayerExpectation& expected, UnpackMode mode,
                                   int staging, const Limits& limits = {});

}  // namespace berth::unpack
