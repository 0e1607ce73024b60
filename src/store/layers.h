// Unpacked layers and their blobs: how they get into the store and are found there, and how they leave it
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/store.h"
#include "sys/file.h"
#include "sys/unique_fd.h"

namespace berth::store {

struct LayerRecord {
  std::string directory;  // below layers/
  std::string diff_id;
  int64_t size = 0;   // bytes of data in files
  int64_t files = 0;  // entries
  bool lists_root = false;
  bool opaque_root = false;
};

// While one is held nothing is garbage: layers and blobs that no image has yet stay. Shared between any
// number of processes; collect_garbage() needs it alone.
class KeepLayers {
 public:
  static Result<KeepLayers> acquire(const Store& store);

 private:
  explicit KeepLayers(sys::FileLock lock) : lock_(std::move(lock)) {}
  sys::FileLock lock_;
};

// The directory name of a layer whose tar lists all its directories, or whose implicit ones need nothing from
// below: the hex of `diff_id`. Else "chain-" and the hex of the chain ID (image-spec, config.md, "Layer
// ChainID").
std::string layer_directory(std::string_view diff_id);
std::string chained_layer_directory(std::string_view chain_id);

Result<std::optional<LayerRecord>> find_layer(Store& store, std::string_view directory);

// A blob that some image has for the layer `diff_id`.
Result<std::optional<std::string>> find_blob(Store& store, std::string_view diff_id);

// A blob's file for reading; none if the store does not have it.
Result<std::optional<sys::UniqueFd>> open_blob(const Store& store, std::string_view digest);

// An unpacked layer's directory.
Result<sys::UniqueFd> open_layer(const Store& store, const std::string& directory);

// Moves a blob file or a layer's tree from a staging directory into place. What is moved must be on disk
// already (syncfs). A blob that is there stays. A directory that is there without a record is what a killed
// process left, and makes way; the caller holds a KeyLock for the directory's name.
Result<> place_blob(const Store& store, int staging, const std::string& staged_name, std::string_view digest);
Result<> place_layer(Store& store, int staging, const std::string& staged_name, const LayerRecord& record);

// Removes layers and blobs that no image has, and copies of images that have no record. Does nothing while
// anybody holds a KeepLayers: whoever lets go last collects. Gives the number of bytes of the layers removed.
Result<int64_t> collect_garbage(Store& store);

}  // namespace berth::store
