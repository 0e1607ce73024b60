#include "engine/files/root_layers.h"

#include "engine/container/status.h"
#include "engine/identity/container_identity.h"
#include "engine/ids/id_decision.h"
#include "engine/translation/translate.h"

namespace berth::engine {

std::vector<std::string> RootLayers::lower() const {
  std::vector<std::string> all = directories;
  if (!identity_directory.empty()) all.push_back(identity_directory);
  return all;
}

std::optional<idmap::Shift> RootLayers::from_disk() const {
  if (!translated) return std::nullopt;
  return idmap::Shift{idmap::IdShift(*uid_map), idmap::IdShift(*gid_map)}.inverse();
}

std::vector<std::string> stacked_layers(const store::Store& store, const store::ImageRecord& image,
                                        const std::string& identity_layer) {
  std::vector<std::string> layers;
  for (const std::string& layer : image.layers) layers.push_back(store.locations().root + "/layers/" + layer);
  if (!identity_layer.empty()) layers.push_back(store.locations().root + "/" + identity_layer);
  return layers;
}

Result<RootLayers> root_layers(store::Store& store, const store::ContainerRecord& record) {
  RootLayers layers;
  layers.spec = TRY(container_spec_from_json(record.spec));
  layers.image = TRY(store::find_image(store, record.image_id));
  layers.config = TRY(oci::parse_image_config(layers.image.config));
  IdDecision ids = TRY(recorded_maps(record));
  layers.uid_map = std::move(ids.users);
  layers.gid_map = std::move(ids.groups);
  const idmap::IdMap& users = layers.uid_map ? *layers.uid_map : idmap::IdMap::whole();
  const idmap::IdMap& groups = layers.gid_map ? *layers.gid_map : idmap::IdMap::whole();
  layers.identity =
      TRY(identity_of(store, {layers.spec, layers.image, layers.config, users, groups})).identity;
  layers.translated = layers.spec.translate && layers.uid_map && layers.gid_map;
  const std::string& identity = layers.identity.layer;
  const TranslationRequest translation{layers.image, record.image_name,   users, groups,
                                       {},           [] { return false; }};
  layers.directories = stacked_layers(store, layers.image, identity);
  if (layers.translated) layers.directories = TRY(translated_layers(store, translation, identity));
  if (!identity.empty()) {
    layers.identity_directory = std::move(layers.directories.back());
    layers.directories.pop_back();
  }
  const std::string own = store.locations().root + "/" + container_directory(record.id);
  layers.upper = own + "/upper";
  layers.work = own + "/work";
  return layers;
}

}  // namespace berth::engine
