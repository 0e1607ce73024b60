#include "transfer/record_layers.h"

#include <algorithm>
#include <array>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "base/log.h"
#include "oci/manifest.h"
#include "store/image_path.h"
#include "store/images.h"
#include "store/layer_stack.h"
#include "sys/file.h"
#include "unpack/sha256.h"

namespace berth::transfer {

namespace {

constexpr size_t kMaxAccountFile = 1 << 20;

// What is stacked: of layers that come twice the higher one (it hides all that the lower one shows), and
// nothing that lies under an opaque root.
std::vector<store::ImageLayer> stacked(std::span<const InstalledLayer> layers) {
  std::vector<store::ImageLayer> result(layers.size());
  std::set<std::string> above;
  bool hidden = false;
  for (size_t i = layers.size(); i-- > 0;) {
    const store::LayerRecord& record = layers[i].record;
    result[i] = store::ImageLayer{layers[i].blob, layers[i].diff_id, std::nullopt, record.size};
    if (!hidden && above.insert(record.directory).second) result[i].directory = record.directory;
    hidden = hidden || record.opaque_root;
  }
  return result;
}

Result<store::RootAttributes> root_attributes(const store::Store& store,
                                              std::span<const InstalledLayer> layers) {
  for (size_t i = layers.size(); i-- > 0;) {
    if (!layers[i].record.lists_root) continue;
    const sys::UniqueFd dir = TRY(store::open_layer(store, layers[i].record.directory));
    const struct stat st = TRY(sys::stat_at(dir.get(), "", AT_EMPTY_PATH));
    return store::RootAttributes{st.st_mode & 07777U, st.st_uid, st.st_gid};
  }
  return store::RootAttributes{};
}

// An image may have anything in the place of these files; then it has no accounts.
Result<std::optional<std::string>> account_file(const store::LayerStack& stack, std::string_view path) {
  Result<std::optional<std::string>> text = store::read_file(stack, path, kMaxAccountFile);
  if (!text && text.error().code == Code::refused) {
    log::warn("the image's accounts can't be used: {}", text.error().message);
    return std::nullopt;
  }
  return text;
}

}  // namespace

Result<std::string> with_layers_kept(store::Store& store, const std::function<Result<std::string>()>& work) {
  Result<std::string> outcome;
  {
    const store::KeepLayers keep = TRY(store::KeepLayers::acquire(store));
    TRY(store::clean_staging(store));
    outcome = work();
  }
  const Result<int64_t> collected = store::collect_garbage(store);
  if (outcome && !collected) log::warn("cannot clear unused layers away: {}", collected.error().message);
  if (!outcome && outcome.error().err == ENOSPC && outcome.error().hint.empty()) {
    outcome.error().hint = fmt::format("Free space on the file system of {}, or use another with --root.",
                                       store.locations().root);
  }
  return outcome;
}

std::string now_rfc3339() {
  const time_t now = ::time(nullptr);
  tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  return {text.data(), ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Result<std::string> make_manifest(const std::string& config, std::span<const InstalledLayer> layers) {
  oci::Manifest manifest{.media_type = std::string(oci::media_type::kOciManifest),
                         .config = {std::string(oci::media_type::kOciConfig),
                                    TRY(oci::Digest::parse(unpack::sha256_digest(config))),
                                    config.size(),
                                    {},
                                    {}}};
  for (const InstalledLayer& layer : layers) {
    oci::Descriptor descriptor{
        layer.blob_media_type, TRY(oci::Digest::parse(layer.blob)), layer.blob_size, {}, {}};
    manifest.layers.push_back(std::move(descriptor));
  }
  return oci::emit_manifest(manifest);
}

Result<std::string> record_layers(store::Store& store, const std::string& manifest, const std::string& config,
                                  std::span<const InstalledLayer> layers,
                                  std::span<const std::string> names) {
  store::NewImage image;
  image.id = unpack::sha256_digest(config);
  image.manifest_digest = unpack::sha256_digest(manifest);
  image.manifest = manifest;
  image.config = config;
  image.layers = stacked(layers);
  image.root = TRY(root_attributes(store, layers));
  std::vector<sys::UniqueFd> open_layers;
  for (const store::ImageLayer& layer : image.layers) {
    if (layer.directory) open_layers.push_back(TRY(store::open_layer(store, *layer.directory)));
  }
  const store::LayerStack stack(std::move(open_layers));
  image.passwd = TRY(account_file(stack, "etc/passwd"));
  image.group = TRY(account_file(stack, "etc/group"));
  fault::point("image-unrecorded");
  TRY(store::record_image(store, image, names));
  fault::point("image-recorded");
  return image.id;
}

}  // namespace berth::transfer
