// `berth load`: images from an archive or a directory into the store.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"
#include "transfer/image_files.h"

namespace berth::transfer {

struct LoadedImage {
  std::string id;
  std::vector<std::string> names;  // full references; none if the archive has none
};

// All images that `files` has: docker-archive (manifest.json) or an OCI layout (index.json). `origin` is the
// archive's file name, for images that are only known by a tag there.
Result<std::vector<LoadedImage>> load_images(store::Store& store, const ImageFiles& files,
                                             const std::string& origin);

// `path` is a file, a directory with an OCI layout, or "-" for standard input.
Result<std::vector<LoadedImage>> load_images_from(store::Store& store, const std::string& path);

}  // namespace berth::transfer
