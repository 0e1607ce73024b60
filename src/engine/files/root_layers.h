// What a container's root file system is stacked from, for commands that look at its files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/container/container_spec.h"
#include "engine/identity/identity_layer.h"
#include "idmap/id_map.h"
#include "idmap/id_shift.h"
#include "oci/image_config.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/store.h"

namespace berth::engine {

struct RootLayers {
  ContainerSpec spec;
  store::ImageRecord image;
  oci::ImageConfig config;              // the image's
  std::optional<idmap::IdMap> uid_map;  // none: the host's IDs
  std::optional<idmap::IdMap> gid_map;
  bool translated = false;               // what is on disk has the host's IDs (engine/translation)
  std::vector<std::string> directories;  // the image's, on the host, lowest first, ready to be stacked
  Identity identity;
  std::string identity_directory;  // on the host, on top of the image's; empty: none
  std::string upper;               // the container's own layer and the overlay's work directory, on the host
  std::string work;

  // The image's, then the identity layer.
  [[nodiscard]] std::vector<std::string> lower() const;
  // From the IDs on disk to the container's own; none where they are the same.
  [[nodiscard]] std::optional<idmap::Shift> from_disk() const;
};

// As the next start would stack them. Makes the identity layer if it is gone.
Result<RootLayers> root_layers(store::Store& store, const store::ContainerRecord& record);

// The layers of an image and an identity layer (below the store's root, may be empty) on top of them, as
// paths on the host, lowest first.
std::vector<std::string> stacked_layers(const store::Store& store, const store::ImageRecord& image,
                                        const std::string& identity_layer);

}  // namespace berth::engine
