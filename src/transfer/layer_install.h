// Gets the layers of one image into the store: several at a time, each once however many images and processes
// want it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/staging.h"
#include "unpack/unpack_layer.h"

namespace berth::transfer {

// A layer to install. What is not known is found out.
struct WantedLayer {
  unpack::LayerExpectation expected;
  std::function<Result<std::unique_ptr<ByteSource>>()> open;
  std::function<void(bool was_present)> ready;  // may be empty
};

struct InstalledLayer {
  std::string blob;
  uint64_t blob_size = 0;
  std::string blob_media_type;
  std::string diff_id;
  store::LayerRecord record;
};

class LayerInstall {
 public:
  explicit LayerInstall(store::Store& store) : store_(store) {}

  // All of them, lowest first. Code::refused names the layer that is at fault.
  Result<std::vector<InstalledLayer>> run(std::vector<WantedLayer> wanted);

 private:
  struct Job {
    WantedLayer wanted;
    std::string chained_directory;  // "" while the diff_ids are not known
    std::optional<InstalledLayer> installed;
    // A layer with implicit directories, unpacked and waiting for the ones below.
    std::optional<store::Staging> staging;
    std::vector<std::string> implicit_directories;
    std::optional<size_t> same_as;  // a lower layer with the same content
  };
  void find_repetitions();
  void work();
  Result<> install(Job& job);
  Result<bool> take_present(Job& job, bool& has_tree);
  Result<> unpack(Job& job, bool has_tree);
  Result<> finish_chained(size_t index);
  Result<> give_attributes(const Job& job, size_t index, int tree);
  Result<> place(Job& job, int staging);

  store::Store& store_;
  std::vector<Job> jobs_;
  std::mutex mutex_;  // for the database's connection, next_ and error_
  size_t next_ = 0;
  std::atomic<bool> failed_ = false;
  std::optional<Error> error_;
};

}  // namespace berth::transfer
