// The volumes that an image asks for (VOLUME).
#pragma once

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "oci/image_config.h"

namespace berth::engine {

// Adds a mount for each path of the image's VOLUME that has none yet: a volume without a name, a tmpfs, or
// nothing, as spec.image_volumes says. Code::refused for a path that can be no place for one.
Result<> add_image_volumes(const oci::ImageConfig& image, ContainerSpec& spec);

}  // namespace berth::engine
