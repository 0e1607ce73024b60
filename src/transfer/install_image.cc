#include "transfer/install_image.h"

#include <algorithm>

#include "base/log.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "store/images.h"
#include "store/layer_stack.h"
#include "sys/file.h"
#include "transfer/layer_install.h"
#include "transfer/record_layers.h"
#include "unpack/sha256.h"

namespace berth::transfer {

namespace {

// The layers as the documents describe them, which must agree with each other.
Result<std::vector<WantedLayer>> wanted_layers(ImageSource& source, const oci::ImageConfig& config) {
  std::vector<WantedLayer> wanted(config.diff_ids.size());
  if (wanted.size() > oci::kMaxLayers) {
    return fail(Code::refused, "it has {} layers, and at most {} can be stacked", wanted.size(),
                oci::kMaxLayers);
  }
  std::optional<oci::Manifest> manifest;
  if (!source.manifest.empty()) {
    manifest = TRY(oci::parse_manifest(source.manifest));
    const std::string digest = unpack::sha256_digest(source.config);
    if (manifest->config.digest.str() != digest) {
      return fail(Code::refused, "its manifest names the configuration {}, and the one that came is {}",
                  manifest->config.digest.str(), digest);
    }
    if (manifest->layers.size() != wanted.size()) {
      return fail(Code::refused, "its manifest lists {} layers and its configuration {}",
                  manifest->layers.size(), wanted.size());
    }
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    unpack::LayerExpectation& expected = wanted[i].expected;
    expected.diff_id = config.diff_ids[i].str();
    expected.compress = !manifest;
    if (manifest) {
      expected.blob = manifest->layers[i].digest.str();
      expected.blob_size = manifest->layers[i].size;
    }
    wanted[i].open = [&source, i] { return source.open_layer(i); };
    wanted[i].ready = [&source, i](bool was_present) { source.layer_ready(i, was_present); };
  }
  return wanted;
}

Result<std::string> install(store::Store& store, ImageSource& source, std::span<const std::string> names) {
  const oci::ImageConfig config = TRY(oci::parse_image_config(source.config));
  LayerInstall layers(store);
  std::vector<WantedLayer> wanted = TRY(wanted_layers(source, config));
  const std::vector<InstalledLayer> installed = TRY(layers.run(std::move(wanted)));
  if (source.manifest.empty()) source.manifest = TRY(make_manifest(source.config, installed));
  return record_layers(store, source.manifest, source.config, installed, names);
}

}  // namespace

Result<std::string> install_image(store::Store& store, ImageSource& source,
                                  std::span<const std::string> names) {
  return with_layers_kept(store, [&] { return install(store, source, names); });
}

}  // namespace berth::transfer
