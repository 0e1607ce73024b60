#include "engine/disk_use.h"

#include <algorithm>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/volumes/volumes.h"
#include "store/layers.h"
#include "sys/file.h"
#include "sys/tree_size.h"

namespace berth::engine {

namespace {

// A layer's tree or blob, and whose it is.
struct Part {
  int64_t bytes = 0;
  size_t images = 0;
  bool active = false;
};

Result<int64_t> blob_size(const store::Store& store, const std::string& digest) {
  const std::optional<sys::UniqueFd> blob = TRY(store::open_blob(store, digest));
  if (!blob) return 0;
  return static_cast<int64_t>(TRY(sys::stat_at(blob->get(), "", AT_EMPTY_PATH)).st_size);
}

class Images {
 public:
  explicit Images(store::Store& store) : store_(store) {}

  Result<> measure(DiskUse& use) {
    for (store::ImageSummary& image : TRY(store::list_images(store_))) {
      const size_t containers = TRY(store::containers_of_image(store_, image.id)).size();
      TRY(add_parts(image.id, containers > 0));
      use.images.push_back({.image = std::move(image), .containers = containers});
    }
    for (size_t i = 0; i < use.images.size(); ++i) {
      if (use.images[i].containers > 0) ++use.all_images.active;
      for (const std::string& name : names_[i]) {
        const Part& part = parts_.at(name);
        (part.images > 1 ? use.images[i].shared : use.images[i].unique) += part.bytes;
      }
    }
    for (const auto& [name, part] : parts_) {
      use.all_images.bytes += part.bytes;
      if (!part.active) use.all_images.reclaimable += part.bytes;
    }
    return {};
  }

 private:
  Result<> add_parts(const std::string& image, bool active) {
    std::map<std::string, int64_t> own;
    for (const store::ImageLayer& layer : TRY(store::image_layers(store_, image))) {
      if (layer.directory) own.emplace("layer " + *layer.directory, layer.size);
      own.emplace("blob " + layer.blob, TRY(blob_size(store_, layer.blob)));
    }
    std::vector<std::string>& names = names_.emplace_back();
    for (const auto& [name, bytes] : own) {
      Part& part = parts_[name];
      part.bytes = bytes;
      ++part.images;
      part.active |= active;
      names.push_back(name);
    }
    return {};
  }

  store::Store& store_;
  std::map<std::string, Part> parts_;
  std::vector<std::vector<std::string>> names_;  // of each image's parts
};

Result<> measure_containers(store::Store& store, DiskUse& use) {
  for (store::ContainerRecord& record : TRY(store::list_containers(store.db()))) {
    const sys::TreeSize size =
        TRY(sys::measure_tree(store.root(), container_directory(record.id) + "/upper"));
    const bool running = live_status(store, record.id).has_value();
    size_t volumes = 0;
    if (const auto spec = container_spec_from_json(record.spec))
      volumes = static_cast<size_t>(std::count_if(spec->mounts.begin(), spec->mounts.end(),
                                                  [](const MountSpec& one) { return one.type == "volume"; }));
    use.all_containers.bytes += size.bytes;
    use.all_containers.whole &= size.whole;
    if (running) ++use.all_containers.active;
    if (!running) use.all_containers.reclaimable += size.bytes;
    use.containers.push_back({std::move(record), running, volumes, size.bytes, size.whole});
  }
  return {};
}

Result<> measure_volumes(store::Store& store, DiskUse& use) {
  for (Volume& volume : TRY(list_volumes(store))) {
    const sys::TreeSize size = TRY(sys::measure_tree(store.root(), volume_data_directory(volume.name)));
    const bool used = !volume.containers.empty();
    use.all_volumes.bytes += size.bytes;
    use.all_volumes.whole &= size.whole;
    if (used) ++use.all_volumes.active;
    if (!used) use.all_volumes.reclaimable += size.bytes;
    use.volumes.push_back({std::move(volume), size.bytes, size.whole});
  }
  return {};
}

Result<> list_copies(store::Store& store, DiskUse& use) {
  std::vector<store::Translation> unneeded;
  {
    // What a prune would forget; the transaction is not committed.
    store::Transaction trial = TRY(store::Transaction::begin(store.db()));
    unneeded = TRY(store::forget_unneeded_translations(store.db(), {}));
  }
  for (store::Translation& copy : TRY(store::list_translations(store))) {
    const bool needed = std::none_of(unneeded.begin(), unneeded.end(), [&](const store::Translation& one) {
      return one.directory == copy.directory;
    });
    use.all_copies.bytes += copy.size;
    if (needed) ++use.all_copies.active;
    if (!needed) use.all_copies.reclaimable += copy.size;
    use.copies.push_back({std::move(copy), needed});
  }
  return {};
}

}  // namespace

int64_t DiskUse::bytes() const {
  return all_images.bytes + all_containers.bytes + all_volumes.bytes + all_copies.bytes;
}

Result<DiskUse> disk_use(store::Store& store, MeasureVolumes volumes) {
  DiskUse use;
  TRY(Images(store).measure(use));
  TRY(measure_containers(store, use));
  if (volumes == MeasureVolumes::yes) TRY(measure_volumes(store, use));
  TRY(list_copies(store, use));
  return use;
}

}  // namespace berth::engine
