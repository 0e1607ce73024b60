#include "transfer/pull.h"

#include "engine/container/announce.h"
#include "oci/image_config.h"
#include "transfer/install_image.h"

namespace berth::transfer {

namespace {

class RegistrySource : public ImageSource {
 public:
  RegistrySource(registry::Client& client, std::string repository, const oci::Manifest& parsed,
                 PullObserver& observer)
      : client_(client), repository_(std::move(repository)), parsed_(parsed), observer_(observer) {}

  Result<std::unique_ptr<ByteSource>> open_layer(size_t index) override {
    return client_.open_blob(repository_, parsed_.layers[index],
                             [this, index](size_t bytes) { observer_.received(index, bytes); });
  }
  void layer_ready(size_t index, bool was_present) override { observer_.ready(index, was_present); }

 private:
  registry::Client& client_;
  std::string repository_;
  const oci::Manifest& parsed_;
  PullObserver& observer_;
};

struct FetchedManifest {
  std::string bytes;
  oci::Manifest parsed;
};

// The manifest of the one image that is meant, through an index if there is one.
Result<FetchedManifest> fetch_manifest(registry::Client& client, const oci::Reference& reference,
                                       const oci::Platform& platform) {
  const std::string& repository = reference.repository();
  registry::Document document =
      TRY(reference.digest() ? client.manifest_by_digest(repository, *reference.digest())
                             : client.manifest_by_tag(repository, *reference.tag()));
  oci::ManifestOrIndex parsed = TRY(oci::parse_manifest_or_index(document.bytes, document.content_type));
  if (auto* manifest = std::get_if<oci::Manifest>(&parsed)) {
    return FetchedManifest{std::move(document.bytes), std::move(*manifest)};
  }
  const oci::Descriptor chosen = TRY(oci::choose(std::get<oci::Index>(parsed), platform));
  registry::Document inner = TRY(client.manifest_by_digest(repository, chosen.digest, chosen.size));
  oci::Manifest manifest = TRY_CONTEXT(oci::parse_manifest(inner.bytes, inner.content_type),
                                       "the image for {} in the index", oci::describe(platform));
  return FetchedManifest{std::move(inner.bytes), std::move(manifest)};
}

}  // namespace

Result<std::string> pull_image(store::Store& store, registry::Client& client, const oci::Reference& reference,
                               const oci::Platform& platform, PullObserver& observer) {
  const FetchedManifest manifest = TRY(fetch_manifest(client, reference, platform));
  RegistrySource source(client, reference.repository(), manifest.parsed, observer);
  source.manifest = manifest.bytes;
  source.config =
      TRY_CONTEXT(client.small_blob(reference.repository(), manifest.parsed.config, oci::kMaxConfigBytes),
                  "fetch the image's config");
  observer.begin(reference, manifest.parsed);
  const std::string name =
      reference.digest() ? reference.with_digest(*reference.digest()).full() : reference.full();
  std::string id = TRY(install_image(store, source, std::span(&name, 1)));
  engine::announce_image(store, events::kPull, id, name);
  return id;
}

}  // namespace berth::transfer
