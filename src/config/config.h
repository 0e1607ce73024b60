// The engine's configuration as values, each of which knows where it comes from. docs/configuration.md says
// what they mean to a person.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "idmap/id_range.h"
#include "idmap/userns_mode.h"
#include "net/address.h"

namespace berth::config {

// The file and line that a value was read from.
struct Origin {
  std::string file;   // empty: the value is built in
  uint32_t line = 0;  // from 1

  [[nodiscard]] bool built_in() const { return file.empty(); }
  // "/etc/berth/berth.toml:3" or "built in".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Origin&, const Origin&) = default;
};

template <typename T>
struct Setting {
  T value{};
  Origin origin{};
  friend bool operator==(const Setting&, const Setting&) = default;
};

using Names = std::vector<std::string>;  // sorted, each once
inline constexpr const char* kAnyProject = "*";

// What a container may use, of each what is said.
struct ResourceAmounts {
  Setting<std::optional<uint64_t>> memory;     // bytes
  Setting<std::optional<uint64_t>> nano_cpus;  // billionths of a processor
  Setting<std::optional<uint64_t>> pids;       // processes and threads
  friend bool operator==(const ResourceAmounts&, const ResourceAmounts&) = default;
};

// [policy] and [users.NAME]: what no flag overrides.
struct Policy {
  Setting<bool> require_private{false};
  Setting<bool> allow_shared_ids{true};  // whether --allow-shared-ids may be used
  // Whether a container may write as the host's root where users of the host can get to.
  Setting<bool> allow_open_directories{true};
  Setting<std::optional<std::vector<idmap::IdRange>>> allowed_ranges;  // normalized; nullopt: any
  Setting<std::optional<Names>> allowed_projects;                  // of users without an entry; nullopt: any
  Setting<std::optional<Names>> allowed_project_policies;          // nullopt: any
  Setting<uint32_t> project_banks{8};                              // the quota of a project
  Setting<std::chrono::seconds> bank_rest{std::chrono::hours(1)};  // of freed banks, unless none else is left
  std::map<std::string, Setting<Names>> user_projects;             // allowed projects of a host user
  Setting<Names> shared_networks;  // those of no project that containers of any project may be in
  ResourceAmounts most;            // that one container may have
  friend bool operator==(const Policy&, const Policy&) = default;
};

// In ascending order of what they allow.
enum class PolicyBase : uint8_t { restricted, nonroot, anyuid };

// [project-policy.NAME]: a policy for projects, a built-in one with changes.
struct ProjectPolicy {
  Origin origin;  // of the table
  Setting<PolicyBase> base{PolicyBase::restricted};
  Setting<Names> capabilities;       // "CAP_NET_RAW" or "ALL": what --cap-add may add
  Setting<Names> drop_capabilities;  // dropped from what a container gets by default
  Setting<bool> read_only{false};    // the root file system always is
  Setting<bool> no_new_privileges{false};
  Setting<std::optional<uint32_t>> banks;  // the quota; nullopt: policy.project-banks
  ResourceAmounts most;                    // that one container may have; beside those of the policy
  friend bool operator==(const ProjectPolicy&, const ProjectPolicy&) = default;
};

// Where the subnets of new networks come from, IPv4 all. Podman's begin at 10.88.0.0, Docker's at 172.17.0.0.
inline constexpr unsigned kSubnetPrefix = 24;
std::vector<net::Subnet> built_in_subnet_pools();

// [defaults]: what a flag overrides.
struct Defaults {
  Setting<idmap::UsernsMode> userns;  // never container: or ns:
  Setting<bool> init{true};
  Setting<std::string> project_policy{"restricted"};
  Setting<std::string> network{"bridge"};                                   // "bridge", "none" or "host"
  Setting<net::Subnet> bridge_subnet{*net::Subnet::parse("10.86.0.0/16")};  // of the network "bridge"
  // What `network create` chooses a /24 from, kSubnetPrefix or shorter each.
  Setting<std::vector<net::Subnet>> subnet_pools{built_in_subnet_pools()};
  // Who makes containers' cgroups: "systemd", "cgroupfs" (berth by itself), or "auto": systemd if it runs.
  Setting<std::string> cgroup_manager{"auto"};
  ResourceAmounts resources;                    // of a container whose flags say nothing
  Setting<std::string> slice{"machine.slice"};  // systemd's, for containers without --cgroup-parent
  friend bool operator==(const Defaults&, const Defaults&) = default;
};

// As it is built in, until a file says otherwise.
struct Config {
  Policy policy;
  std::map<std::string, ProjectPolicy> project_policies;  // the custom ones
  Defaults defaults;
  friend bool operator==(const Config&, const Config&) = default;
};

// "restricted", "nonroot", "anyuid".
std::string name_of(PolicyBase base);
std::optional<PolicyBase> policy_base(std::string_view name);

}  // namespace berth::config
