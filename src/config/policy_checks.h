// What the policy says to what is asked for. Pure. Each refusal is Code::refused and names the rule and its
// place; no flag overrides one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "idmap/id_range.h"

namespace berth::config {

// --userns. container:NAME passes, since that container's own namespace has been through this before; that it
// was, and still is no host's, is the caller's to see to. ns:PATH does not pass require-private: it may be
// the host's.
Result<> check_userns(const Config& config, const idmap::UsernsMode& mode);

// A flag that asks for another of the host's namespaces: `asked` is "--network host".
Result<> check_host_namespace(const Config& config, std::string_view asked);

// --allow-shared-ids.
Result<> check_shared_ids(const Config& config);

// A host directory in which a container can write as the host's root and that users of the host can get to;
// `asked` is "mount /data of /srv/data".
Result<> check_open_directory(const Config& config, std::string_view asked);

// Host IDs that a map uses, whoever chose them; `asked` is what for: "--uidmap 0:200000", "the bank 17".
Result<> check_ranges(const Config& config, std::span<const idmap::IdRange> ranges, std::string_view asked);

// "allowed-ranges are 524288-1879048191 (/etc/berth/berth.toml:3)"; empty where any are.
std::string allowed_ranges_text(const Config& config);

// A project of a host user. `user` is the caller's name on the host.
Result<> check_project(const Config& config, const std::string& user, const std::string& project);

// The policy of that name, built-in or custom. Code::not_found where there is none.
Result<ProjectPolicy> find_project_policy(const Config& config, const std::string& name);

// That a project of the policy may have so many banks.
Result<> check_project_banks(const Config& config, const ProjectPolicy& policy, uint32_t banks);

// Whether containers of projects may be in a network of no project's, by its name.
bool is_shared_network(const Config& config, std::string_view name);

// --cap-add in a project of the policy; `capability` is "CAP_NET_RAW" or "ALL".
Result<> check_capability(const ProjectPolicy& policy, std::string_view policy_name,
                          std::string_view capability);

// What a container is to have; UINT64_MAX: without a limit.
struct Amounts {
  uint64_t memory = UINT64_MAX;     // bytes
  uint64_t nano_cpus = UINT64_MAX;  // billionths of a processor
  uint64_t pids = UINT64_MAX;
};
Result<> check_amounts(const ResourceAmounts& most, const Amounts& amounts);
// Something that would go without any limit: `asked` is "--cgroups=disabled".
Result<> check_unlimited(const ResourceAmounts& most, std::string_view asked);
// --cgroup-conf: a file of cgroup v2 that says what a rule is about.
Result<> check_cgroup_file(const ResourceAmounts& most, std::string_view file);

}  // namespace berth::config
