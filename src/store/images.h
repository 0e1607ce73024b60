// Images: what they are called, what they are made of, and which of their parts nothing needs any more.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace berth::store {

// Attributes of "/" in an image: of the highest layer that lists it. A container's upper directory needs
// them.
struct RootAttributes {
  uint32_t mode = 0755;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// All that a container start needs of an image; reading it touches the database only.
struct ImageRecord {
  std::string id;                   // digest of the configuration: "sha256:<hex>"
  std::string name;                 // the full reference it was found by; empty when found by its id
  std::string manifest_digest;      // "sha256:<hex>"
  std::string config;               // the exact document
  std::vector<std::string> layers;  // directories below layers/, lowest first, ready to be stacked: a
                                    // directory is there once, and none that an opaque root hides
  RootAttributes root;
  std::optional<std::string> passwd;  // of the merged root file system; none where there is no such file
  std::optional<std::string> group;
  int64_t size = 0;       // bytes unpacked
  int64_t pulled_at = 0;  // seconds since 1970
};

// An image by what a person calls it: a full reference ("docker.io/library/busybox:latest"), a short one
// ("busybox", "busybox:1.36", "demo" for "localhost/demo:latest"), one with a digest, or its id or the
// beginning of that. Code::not_found (with a hint when a known name is near), Code::conflict when an id's
// beginning is that of several images.
Result<ImageRecord> find_image(Store& store, std::string_view word);

// One line of `berth images`.
struct ImageSummary {
  std::string id;
  std::string manifest_digest;
  std::string config;
  std::vector<std::string> names;  // sorted; empty: dangling
  int64_t size = 0;
  int64_t pulled_at = 0;
};
// All images, the newest first.
Result<std::vector<ImageSummary>> list_images(Store& store);

// The blob and the directory of each layer, lowest first, exactly as the manifest lists them.
struct ImageLayer {
  std::string blob;                      // digest of the compressed tar in blobs/
  std::string diff_id;                   // digest of the tar uncompressed
  std::optional<std::string> directory;  // below layers/; none where the layer adds nothing to the stack
  int64_t size = 0;                      // bytes unpacked
};
Result<std::vector<ImageLayer>> image_layers(Store& store, std::string_view id);

// The exact documents.
struct ImageDocuments {
  std::string manifest;
  std::string config;
};
Result<ImageDocuments> image_documents(Store& store, std::string_view id);
// Sorted.
Result<std::vector<std::string>> image_names(Store& store, std::string_view id);

// Puts an image, or new documents and layers of one that is there, into the store's database. The layers'
// directories and blobs are in place (layers.h). `names` are full references; one that another image had
// moves to this one.
struct NewImage {
  std::string id;
  std::string manifest_digest;
  std::string manifest;
  std::string config;
  RootAttributes root;
  std::optional<std::string> passwd;
  std::optional<std::string> group;
  std::vector<ImageLayer> layers;
};
Result<> record_image(Store& store, const NewImage& image, std::span<const std::string> names);

// Gives an image one more name. A name that another image had moves to this one.
Result<> tag_image(Store& store, std::string_view id, std::string_view full_name);
// Takes a name away; false if nothing had it. The image stays, without a name if it was the last.
Result<bool> untag_image(Store& store, std::string_view full_name);

// Containers (running or not) made from an image, as their names.
Result<std::vector<std::string>> containers_of_image(Store& store, std::string_view id);

// Forgets an image, its names and its translated copies. Code::conflict while a container is made from it.
// Its layers and blobs, and the copies' files, go with collect_garbage().
Result<> remove_image(Store& store, std::string_view id);

}  // namespace berth::store
