// Getting an image from a registry into the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/manifest.h"
#include "oci/platform.h"
#include "oci/reference.h"
#include "registry/client.h"
#include "store/store.h"

namespace berth::transfer {

// Is told how a pull goes on. All but begin() is called from several threads at once.
class PullObserver {
 public:
  PullObserver() = default;
  PullObserver(const PullObserver&) = delete;
  PullObserver& operator=(const PullObserver&) = delete;
  virtual ~PullObserver() = default;

  // The image is known now; its layers come next.
  virtual void begin(const oci::Reference& reference, const oci::Manifest& manifest) = 0;
  // `bytes` more of a layer (as compressed) have come.
  virtual void received(size_t layer, size_t bytes) = 0;
  // The layer is in the store; `was_present`: it had been there before.
  virtual void ready(size_t layer, bool was_present) = 0;
};

// Fetches the image that `reference` names for `platform` and records it in the store under that name (with a
// digest in it: under the digest, not the tag). Everything is checked against its digest. Gives the image's
// id, "sha256:<hex>". After an error nothing is left in the store but finished layers that another image
// shares.
Result<std::string> pull_image(store::Store& store, registry::Client& client, const oci::Reference& reference,
                               const oci::Platform& platform, PullObserver& observer);

}  // namespace berth::transfer
