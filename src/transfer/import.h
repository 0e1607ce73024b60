// `berth import`: an image out of a root file system.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "oci/image_config.h"
#include "store/store.h"

namespace berth::transfer {

struct ImportRequest {
  std::string path;         // a tar, compressed or not; "-" for standard input
  std::string name;         // full reference, or empty
  std::string message;      // for the history; may be empty
  oci::ImageConfig config;  // without layers and history
};

// Gives the image's id.
Result<std::string> import_image(store::Store& store, const ImportRequest& request);

}  // namespace berth::transfer
