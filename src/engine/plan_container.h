// From what was asked for to what is done: the plan that berth-monitor applies. Pure; every fact about the
// host comes in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/container/container_spec.h"
#include "engine/identity/container_identity.h"
#include "engine/identity/users.h"
#include "engine/volumes/prepare_mounts.h"
#include "oci/image_config.h"
#include "runtime/plan.h"
#include "seccomp/filter.h"
#include "sys/capabilities.h"

namespace berth::engine {

// The container's directories and files on the host.
struct ContainerFiles {
  std::string upper;
  std::string work;
  std::string hosts;  // empty: the image's
  std::string hostname;
  std::string resolv_conf;
};

// A process of a container that runs, whose /dev/shm is to be had.
struct SharedMemory {
  pid_t pid = 0;      // 0: there is none
  int64_t start = 0;  // as sys::start_time() has it
};

struct PlanInputs {
  std::string id;
  std::string name;
  const ContainerSpec& spec;
  const oci::ImageConfig& image;
  std::vector<std::string> layers;  // lowest first, the identity layer included
  ContainerFiles files;
  bool transient = false;               // its upper goes when it ends (runtime::RootfsPlan)
  bool translated = false;              // likewise
  std::optional<idmap::IdMap> uid_map;  // none: the host's IDs
  std::optional<idmap::IdMap> gid_map;
  const ResolvedUser& user;
  std::vector<MountDecision> mount_decisions{};  // one for each of spec.mounts
  std::string home;
  sys::CapabilitySets capabilities;
  berth::seccomp::Filter seccomp;
  SharedMemory shared_memory{};              // of --ipc container:NAME
  std::vector<runtime::DevicePlan> devices;  // asked for, beside the standard ones
};

Result<runtime::ContainerPlan> plan_container(const PlanInputs& inputs);

// The part of it that is the process's own.
Result<runtime::ProcessPlan> plan_process(const PlanInputs& inputs);

// The command line: entrypoint and command as podman and Docker put them together.
Result<std::vector<std::string>> command_line(const ContainerSpec& spec, const oci::ImageConfig& image);

// Checks that a sysctl belongs to a namespace of the container's ("net.ipv4.ip_forward", with a private
// network) and gives its path below /proc/sys.
Result<std::string> sysctl_path(std::string_view key, bool private_network);

// The RLIMIT_* number for "nofile" and its like; nullopt for no such limit.
std::optional<uint32_t> limit_number(std::string_view name);

}  // namespace berth::engine
