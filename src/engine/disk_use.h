// What of the store takes how much room, and what of that a prune would give back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/volumes/volume_admin.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/store.h"
#include "store/translations.h"

namespace berth::engine {

// Sizes in bytes. Layers have the size that was recorded when they were unpacked, blobs that of their files;
// containers and volumes are walked through, up to a limit (sys/tree_size.h).
struct ImageUse {
  store::ImageSummary image;
  int64_t shared = 0;  // of layers, unpacked and as blobs, that another image has too
  int64_t unique = 0;
  size_t containers = 0;
};

struct ContainerUse {
  store::ContainerRecord record;
  bool running = false;
  size_t volumes = 0;
  int64_t bytes = 0;  // of its own layer
  bool whole = true;  // false: it is more
};

struct VolumeUse {
  Volume volume;
  int64_t bytes = 0;
  bool whole = true;
};

struct CopyUse {
  store::Translation copy;
  bool needed = false;
};

struct UseTotal {
  int64_t bytes = 0;
  int64_t reclaimable = 0;
  size_t active = 0;
  bool whole = true;
};

struct DiskUse {
  std::vector<ImageUse> images;
  std::vector<ContainerUse> containers;
  std::vector<VolumeUse> volumes;
  std::vector<CopyUse> copies;  // of images, for other IDs
  // A layer that several images have counts once.
  UseTotal all_images;
  UseTotal all_containers;
  UseTotal all_volumes;
  UseTotal all_copies;

  [[nodiscard]] int64_t bytes() const;
};

enum class MeasureVolumes { no, yes };
Result<DiskUse> disk_use(store::Store& store, MeasureVolumes volumes = MeasureVolumes::yes);

}  // namespace berth::engine
