// The flags that `berth run` and `berth create` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "cli/health_flags.h"
#include "cli/log_flags.h"
#include "cli/network_flags.h"
#include "cli/resource_flags.h"
#include "engine/container/container_spec.h"

namespace berth::cli {

struct RunFlags {
  bool interactive = false;
  bool terminal = false;
  bool remove = false;
  bool detach = false;  // of `berth run` alone, as the next
  std::string detach_keys = "ctrl-p,ctrl-q";
  std::string name;
  std::string hostname;
  std::vector<std::string> environment;
  std::vector<std::string> environment_files;
  std::string working_directory;
  std::string user;
  std::optional<std::string> entrypoint;
  bool read_only = false;
  bool read_only_tmpfs = true;
  std::vector<std::string> tmpfs;
  std::vector<std::string> volumes;
  std::vector<std::string> mounts;
  std::vector<std::string> volumes_from;
  std::string image_volumes = "anonymous";
  NetworkFlags network;
  std::vector<std::string> capabilities_added;
  std::vector<std::string> capabilities_dropped;
  std::vector<std::string> security;
  bool privileged = false;
  std::vector<std::string> devices;
  std::vector<std::string> limits;
  std::vector<std::string> sysctls;
  std::string shm_size;
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  std::string stop_signal;
  std::optional<int64_t> stop_timeout;
  std::string restart = "no";
  bool init = true;
  std::string pull = "missing";
  std::string platform;
  std::string cid_file;
  std::vector<std::string> groups;
  bool account_entries = true;
  std::string passwd_entry;
  std::string group_entry;
  std::vector<std::string> host_users;
  std::string userns;
  std::vector<std::string> uid_maps;
  std::vector<std::string> gid_maps;
  std::vector<std::string> banks;
  bool allow_shared_ids = false;
  std::optional<std::string> project;
  bool translate = false;
  bool signal_proxy = true;
  LogFlags log;
  ResourceFlags resources;
  HealthFlags health;
  std::string pid;
  std::string ipc;
  std::string image;
  std::vector<std::string> command;
};

// Declares the flags; parse() reads them into `flags`.
void add_run_flags(Flags& line, RunFlags& flags);

// Takes the image and the command from what was left over. Call after parse().
Result<> take_image_and_command(const Flags& line, const Invocation& invocation, RunFlags& flags);

// Checks the flags and turns them into what the engine takes.
Result<engine::ContainerSpec> container_spec(const RunFlags& flags);

}  // namespace berth::cli
