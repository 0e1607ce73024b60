// Which user a container's process is, and what its root file system says of that user: the same for every
// start and for every command that looks at the container's files.
#pragma once

#include "engine/container/container_spec.h"
#include "engine/identity/host_users.h"
#include "engine/identity/identity_layer.h"
#include "engine/identity/users.h"
#include "idmap/id_map.h"
#include "oci/image_config.h"
#include "store/images.h"
#include "store/store.h"

namespace berth::engine {

// The process's, "" where neither says one.
const std::string& working_directory_of(const ContainerSpec& spec, const oci::ImageConfig& image);

struct IdentityOwner {
  const ContainerSpec& spec;
  const store::ImageRecord& image;
  const oci::ImageConfig& config;  // the image's
  const idmap::IdMap& users;
  const idmap::IdMap& groups;
  std::string_view container{};  // its ID, to note that it uses the layer (identity_uses.h); empty: nobody
};

struct ContainerIdentity {
  Accounts accounts;  // of `owner`'s spec and image, which must outlive it
  ResolvedUser user;
  Identity identity;
};

// The layer is made if it is not there.
Result<ContainerIdentity> identity_of(const store::Store& store, const IdentityOwner& owner);

}  // namespace berth::engine
