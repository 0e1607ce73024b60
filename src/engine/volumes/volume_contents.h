// What an image has at the place of a volume, copied into the volume.
#pragma once

#include <string_view>

#include "base/error.h"
#include "store/layer_stack.h"

namespace berth::engine {

// Copies the directory `path` of an image, with the links on the way followed inside it, into the empty
// directory `destination`, which takes on its owner, mode and attributes: everything as the layers have it
// (identity mapping), by descriptor, hard links within the tree kept, holes left holes. Device nodes and
// sockets are left out: in a volume a device would be the host's. Gives the number of names that were copied;
// nothing happens where the image has no directory there. The layers must be nobody's but root's to change.
Result<size_t> copy_image_directory(const store::LayerStack& image, std::string_view path, int destination);

}  // namespace berth::engine
