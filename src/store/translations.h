// Copies of images whose IDs are shifted on disk, for where nothing can map them: translated/<directory>/.
//
//   translated/<directory>/layers/<layer>/       each of the image's layers, by its name below layers/
//   translated/<directory>/identities/<key>/     identity layers, by their name below identities/
//
// A copy is right for one image and one pair of maps, and never changes once made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace berth::store {

struct Translation {
  std::string image_id;
  std::string uid_map;  // as a container records them (ContainerRecord)
  std::string gid_map;
  std::string directory;  // below translated/
  int64_t size = 0;       // bytes of data in files
  int64_t files = 0;
  int64_t created_at = 0;  // seconds since 1970
};

// The name that a copy has, whether it is there or not: 97 bytes, fit for a KeyLock.
std::string translation_directory(std::string_view image_id, std::string_view uid_map,
                                  std::string_view gid_map);

Result<std::optional<Translation>> find_translation(Store& store, std::string_view image_id,
                                                    std::string_view uid_map, std::string_view gid_map);
// By image, the oldest first.
Result<std::vector<Translation>> list_translations(Store& store);

// Moves a finished tree from a staging directory into place and records it. It must be on disk already
// (syncfs). One that is there without a record is what a killed process left, and makes way. The caller holds
// a KeepLayers, and a KeyLock for the directory's name. Code::not_found: the image is gone meanwhile; nothing
// is left then.
Result<> place_translation(Store& store, int staging, const std::string& staged_name,
                           const Translation& translation);

// Within the caller's transaction: forgets the copies that no container needs. With `kept_for_banks` those
// stay whose host IDs all lie in banks that a name or a project holds. `image_id` and the maps may name a
// single one; empty: all. Gives what was forgotten, whose directories are garbage then.
struct Unneeded {
  std::string_view image_id;
  std::string_view uid_map;
  std::string_view gid_map;
  bool kept_for_banks = true;
};
Result<std::vector<Translation>> forget_unneeded_translations(Database& db, const Unneeded& which);

// Removes the directory of a copy that has been forgotten, unless somebody has made it again since.
Result<> remove_translation_files(Store& store, const std::string& directory);

}  // namespace berth::store
