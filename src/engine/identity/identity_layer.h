// The overlay layer that gives a user the passwd and group entries that the image lacks.
//
//   identities/<image hex>-<hash>/identity   what was decided, in text
//   identities/<image hex>-<hash>/layer/     the layer, if one is needed; stacked on top of the image's
//   layers
//
// A layer is made once, by whichever start needs it first, and never changes: it may be part of running
// overlays. Another user, another working directory, other wishes or another image has another key. Of those
// that no running container uses a few are kept for each image (identity_uses.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/identity/identity.h"
#include "store/layer_stack.h"
#include "store/store.h"

namespace berth::engine {

struct Identity {
  // Below the store's root, "identities/<key>/layer"; empty if the image needs no addition.
  std::string layer;
  std::string home;  // HOME, unless the caller sets it
  // The lines that the layer's files have beside the image's, newlines included (for commits:
  // without_lines()).
  std::vector<std::string> added_passwd;
  std::vector<std::string> added_group;
  std::vector<std::string> warnings;  // whole sentences
};

// The image's layers.
using OpenImage = std::function<Result<store::LayerStack>()>;

// The identity for a request, from the store if it is there (one open), else made and kept. `open_image` is
// called only in the latter case. Files that can't be extended (a passwd that is a directory, a link loop)
// are left as they are, with a warning. Nothing is followed out of the image, and nothing but regular files
// is opened.
Result<Identity> identity_for(const store::Store& store, const IdentityRequest& request,
                              const OpenImage& open_image);

// Removes all identities of an image. The caller has made sure that no container uses the image.
Result<> remove_identities(const store::Store& store, std::string_view image_id);

}  // namespace berth::engine
