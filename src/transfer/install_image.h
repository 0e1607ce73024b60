// The one way by which an image gets into the store, wherever it comes from.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "store/store.h"

namespace berth::transfer {

// An image at its origin: a registry, an archive. The documents are what the caller has checked against
// their digests; everything in them and all that open_layer() gives is treated as hostile.
class ImageSource {
 public:
  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
  virtual ~ImageSource() = default;

  // The exact image manifest (not an index). Empty where the origin has none (docker-archive): one is made
  // then.
  std::string manifest;
  // The exact image configuration; its digest is the image's id.
  std::string config;

  // The blob of a layer as the manifest lists it (0 is the lowest), from its first byte. Called from several
  // threads at once, and not for a layer that the store has. The source must outlive what it gives.
  virtual Result<std::unique_ptr<ByteSource>> open_layer(size_t index) = 0;

  // For progress: the layer is in the store; `was_present` says that it had been there before. Called from
  // several threads.
  virtual void layer_ready(size_t index, bool was_present) {
    (void)index;
    (void)was_present;
  }
};

// Fetches, checks and unpacks the layers that the store does not have, several at a time, and records the
// image under its id and `names` (full references; a name that another image had moves to this one). Gives
// the id. After an error nothing is left in the store that was not there before, but finished layers that
// another image shares.
Result<std::string> install_image(store::Store& store, ImageSource& source,
                                  std::span<const std::string> names);

}  // namespace berth::transfer
