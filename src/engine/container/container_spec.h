// What a person asked a container to be: the flags of `berth run`, checked and normalised, before the image,
// the host and the ledger have had their say. It is kept with the container, so that every start means the
// same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/container/health_spec.h"
#include "engine/container/log_spec.h"
#include "engine/container/network_spec.h"
#include "engine/container/resource_spec.h"
#include "engine/container/restart_spec.h"
#include "engine/container/space_spec.h"

namespace berth::engine {

struct MountSpec {
  std::string type;        // "bind", "volume", "tmpfs"
  std::string source{};    // absolute host path, or the volume's name; empty for tmpfs
  std::string volume{};    // its name, once it has one
  bool anonymous = false;  // a volume whose name was made up
  std::string target{};    // absolute path in the container
  bool read_only = false;
  bool recursive = true;      // bind: rbind
  std::string propagation{};  // "", "private", "slave", "shared" and their r… forms
  // nosuid, suid, nodev, dev, noexec, exec; nocopy of a volume; whose files they are
  // (engine/volumes/mount_ids.h); tmpfs: size=…, mode=…
  std::vector<std::string> options{};
  bool operator==(const MountSpec&) const = default;
};

struct DeviceSpec {
  std::string source;  // on the host
  std::string target;  // in the container
  bool operator==(const DeviceSpec&) const = default;
};

struct LimitSpec {
  std::string name;  // "nofile"
  uint64_t soft = 0;
  uint64_t hard = 0;
  bool operator==(const LimitSpec&) const = default;
};

// An account of the host's, as it was when the container was made.
struct HostUserSpec {
  std::string name;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string description;  // GECOS
  std::string home;
  std::string group;  // the name of its primary group; empty if that has none
  bool operator==(const HostUserSpec&) const = default;
};

struct Pair {
  std::string key;
  std::string value;
  bool operator==(const Pair&) const = default;
};

struct ContainerSpec {
  std::string hostname;
  std::vector<std::string> command;  // in the place of the image's CMD, if not empty
  std::optional<std::vector<std::string>> entrypoint;
  std::vector<Pair> environment;
  std::string working_directory;
  std::string user;
  std::vector<std::string> additional_groups;
  bool interactive = false;
  bool terminal = false;
  bool read_only = false;
  bool read_only_tmpfs = true;  // with read_only: /run, /tmp and /var/tmp can be written all the same
  std::vector<MountSpec> mounts;
  std::string network = "none";  // kNoNetwork, kHostNetwork and their like (network_spec.h)
  NetworkSpec networking;
  std::vector<std::string> capabilities_added;
  std::vector<std::string> capabilities_dropped;
  bool privileged = false;
  bool no_new_privileges = false;
  std::string seccomp;  // "": the default, "unconfined", or the text of a profile
  std::vector<DeviceSpec> devices;
  std::vector<LimitSpec> limits;
  std::vector<Pair> sysctls;
  uint64_t shm_size = uint64_t{64} << 20;  // bytes
  std::vector<Pair> labels;
  std::vector<Pair> annotations;
  std::string stop_signal;
  RestartSpec restart;
  bool init = true;
  std::string userns;                 // as --userns has it; empty: as configured, until the container is made
  std::vector<std::string> uid_maps;  // --uidmap, --gidmap
  std::vector<std::string> gid_maps;
  std::vector<std::string> banks;  // --bank: names, numbers, ranges of numbers
  bool allow_shared_ids = false;
  // --volumes-from, "CONTAINER[:ro|rw]"; once the container is made, with the containers' IDs.
  std::vector<std::string> volumes_from;
  std::string project;          // --project; empty: none
  bool account_entries = true;  // --passwd: the user gets entries in passwd and group if it has none
  std::string passwd_entry;     // --passwd-entry, --group-entry: templates (identity_template.h)
  std::string group_entry;
  std::vector<HostUserSpec> host_users;  // --hostuser
  bool keep_groups = false;              // --group-add keep-groups
  std::string image_volumes;  // of the image's VOLUME: "" (volumes without a name), "tmpfs", "ignore"
  // The image is copied for its IDs (engine/translation/translate.h); asked for, or because nothing can map
  // them.
  bool translate = false;
  LogSpec log;
  ResourceSpec resources;
  HealthSpec health;
  SpaceSpec spaces;
};

// Without the members that are as nobody has asked for them, which most are: so what a member of
// ContainerSpec is by itself can't be changed for containers that exist. Code::usage where a value is no
// UTF-8 text: JSON can't hold it, and another one must not take its place.
Result<std::string> to_json(const ContainerSpec& spec);
Result<ContainerSpec> container_spec_from_json(std::string_view text);

// A JSON array of strings, as the exec form of ENTRYPOINT and CMD.
Result<std::vector<std::string>> words_from_json(std::string_view text);

}  // namespace berth::engine
