// Containers whose files are kept with the host's IDs, because nothing can map them (or because --translate
// asks for it): the image is copied once for the container's maps, the container's own layer is written with
// host IDs from the beginning, and overlayfs gets both as they are. docs/translate.md has the whole of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "engine/ids/id_decision.h"
#include "engine/translation/translate_entry.h"
#include "idmap/id_map.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/store.h"
#include "store/translations.h"

namespace berth::engine {

// Decides for a container that is being made whether it is translated, and puts that into its spec.
// `own_users`: it gets a user namespace of its own. Code::usage: --translate without one. Code::refused: a
// mount needs mapped IDs and nothing can map them.
Result<> settle_translation(store::Store& store, ContainerSpec& spec, bool own_users);

// Gives a new container's own layer (`directory` is the container's) to its root on the host.
Result<> shift_upper(int directory, const store::ImageRecord& image, const IdDecision& ids);

// What a copy will cost.
struct TranslationCost {
  std::string image;  // what it is called
  std::string ids;    // IdMap::describe() of the users' map
  int64_t files = 0;
  int64_t bytes = 0;  // of data in files
};
// Called before a copy begins.
using Announce = std::function<void(const TranslationCost&)>;

struct TranslationRequest {
  const store::ImageRecord& image;
  std::string name;  // what the image is called, for messages
  const idmap::IdMap& users;
  const idmap::IdMap& groups;
  Announce announce;
  Interrupted interrupted;
};

// The copy of an image for these maps: what is there already, or a new one, durable when it returns. Of
// several callers at once one makes it and the others wait for it. Nothing is left after an error, a full
// disk or a kill.
Result<store::Translation> translate_image(store::Store& store, const TranslationRequest& request);

// The layers to stack, lowest first, as whole paths: those of the image, then the identity layer (below the
// store's root, may be empty), which is copied too if need be.
Result<std::vector<std::string>> translated_layers(store::Store& store, const TranslationRequest& request,
                                                   const std::string& identity_layer);

// Removes the copy that was made for a container that is gone (its record is deleted within the caller's
// transaction) and that nobody else needs. The first step belongs into that transaction, the second after it.
Result<std::vector<store::Translation>> forget_translation_of(store::Database& db,
                                                              const store::ContainerRecord& record);
Result<> remove_translations(store::Store& store, const std::vector<store::Translation>& forgotten);

// Undoes a translation: the container's own layer, or a copy, back into identity mapping, as it would be in a
// container whose IDs are mapped. What a commit or a save of a translated container begins with. `source` and
// `target` as copy_shifted() has them.
Result<> untranslate(int source, int target, const idmap::IdMap& users, const idmap::IdMap& groups,
                     const Interrupted& interrupted);

}  // namespace berth::engine
