// The last step of getting an image: its layers are in the store, and now the image is recorded.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"
#include "transfer/layer_install.h"

namespace berth::transfer {

// Runs `work`, during which nothing in the store is garbage, and clears away afterwards what it left unused.
Result<std::string> with_layers_kept(store::Store& store, const std::function<Result<std::string>()>& work);

// The time of day as an image's documents have it: "2026-01-31T12:00:00Z".
std::string now_rfc3339();

// An OCI manifest for an image that came without one.
Result<std::string> make_manifest(const std::string& config, std::span<const InstalledLayer> layers);

// Reads what the store keeps of the merged root file system, and records. Gives the image's id.
Result<std::string> record_layers(store::Store& store, const std::string& manifest, const std::string& config,
                                  std::span<const InstalledLayer> layers, std::span<const std::string> names);

}  // namespace berth::transfer
