// Volumes: directories of the store that outlive containers. One without a name of its own ("anonymous")
// belongs to one container and goes with it if that was made with --rm.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "engine/container/container_spec.h"
#include "store/images.h"
#include "store/staging.h"
#include "store/store.h"

namespace berth::engine {

// "volumes/<name>", below the store's root.
std::string volume_directory(std::string_view name);

// "volumes/<name>/_data": what containers see of it.
std::string volume_data_directory(std::string_view name);

// Makes both, unless they are there. True if the second one was not.
Result<bool> make_volume_directory(const store::Store& store, std::string_view name);

// 64 hexadecimal digits, for one that was given no name.
Result<std::string> made_up_volume_name();

// Adds the mounts of --volumes-from and of the image's VOLUME, gives unnamed volumes a name, and puts the
// directory of each volume into the spec as its source. Changes nothing in the store.
Result<> plan_volumes(store::Store& store, const store::ImageRecord& image, ContainerSpec& spec);

// What make_volumes() has done that record_volumes() has to know. Keep it until the volumes are recorded.
struct MadeVolumes {
  std::vector<std::string> taken_over;  // volumes that have now had their content from the image
  std::optional<store::KeyLock> lock;
};

struct VolumeMaking {
  bool transient = false;  // the container goes when it ends, and its volumes without a name with it
  std::optional<ContainerGid> group;  // that new volumes are to belong to and be writable for
};

// Makes the directories that are not there yet. A volume that is used for the first time takes over what the
// image has at its place, with owner and mode (unless "nocopy" is among the mount's options), and then its
// directory is given to `making.group` with mode g+rwxs. The caller
// holds kCreatingLock until they are recorded; what a crash leaves in between no container has seen, and
// remove_empty_volumes() takes it away.
Result<MadeVolumes> make_volumes(store::Store& store, const store::ImageRecord& image,
                                 const ContainerSpec& spec, const VolumeMaking& making);

// Only the directories, with nothing in them, for a container whose image is not known.
Result<> make_volume_directories(const store::Store& store, const ContainerSpec& spec);

// Within the caller's transaction: the volumes, and that the container uses them. Gives the names of those
// that were not known before.
Result<std::vector<std::string>> record_volumes(store::Store& store, std::string_view container_id,
                                                const ContainerSpec& spec, const MadeVolumes& made);

// Once they are recorded: what was copied for them becomes theirs. Whoever was killed before it came to this
// has left it to the next start of a container with the volume.
Result<> settle_volumes(const store::Store& store, const ContainerSpec& spec);

// Takes away what make_volumes() made for a container that came to nothing.
Result<> remove_unrecorded_volumes(store::Store& store, const ContainerSpec& spec);

// Takes away the directories that nobody came to record. Called while nobody holds kCreatingLock.
Result<> remove_empty_volumes(store::Store& store);

// The directories of the container's anonymous volumes, then their records, but of none that another
// container uses (--volumes-from). Before the container's own.
Result<> remove_anonymous_volumes(store::Store& store, std::string_view container_id);

}  // namespace berth::engine
