// A bundle's config.json as values (runtime-spec 1.2, config.md and config-linux.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "bundle/mount_options.h"
#include "bundle/process.h"
#include "bundle/resources.h"
#include "idmap/id_map.h"

namespace berth::bundle {

// Longer documents are refused; whoever reads the file need not read more than one byte beyond.
inline constexpr size_t kMaxConfigBytes = size_t{16} << 20;
// The most that one list may have of what costs system calls each: mounts, devices, rules, paths, hooks, …
inline constexpr size_t kMaxListed = 4096;

// The newest version of the specification whose members are read.
inline constexpr std::string_view kNewestVersion = "1.2.1";
inline constexpr std::string_view kOldestVersion = "1.0.0";

struct Root {
  std::string path;  // absolute, or relative to the bundle
  bool readonly = false;
};

struct Mount {
  std::string destination;  // absolute
  std::string type;         // "" for a bind mount
  std::string source;       // of a bind mount: a path, absolute or relative to the bundle
  MountOptions options;
  // Maps from the IDs of the file system (inside) to the host's (outside): both or none, and with them
  // options.idmap is not none.
  std::vector<idmap::Extent> uid_mappings;
  std::vector<idmap::Extent> gid_mappings;
};

struct Hook {
  std::string path;               // absolute
  std::vector<std::string> args;  // as execv(2) takes them, so args[0] is a name; may be empty
  std::vector<std::string> env;   // "NAME=VALUE"
  std::optional<int> timeout;     // seconds, greater than 0
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

enum class NamespaceType { cgroup, ipc, mount, network, pid, time, user, uts };

struct Namespace {
  NamespaceType type = NamespaceType::mount;
  std::string path;  // absolute, of one to join; "": a new one
};

// The specification's word: "network".
std::string_view namespace_name(NamespaceType type);

struct Sysctl {
  std::string path;  // below /proc/sys: "net/ipv4/ip_forward", without empty parts, "." and ".."
  std::string value;
};

struct DeviceNode {
  char type = 'c';   // 'c', 'b', 'u' (which is 'c') or 'p' for a FIFO
  std::string path;  // absolute
  uint32_t major = 0;
  uint32_t minor = 0;
  std::optional<uint32_t> mode;  // permissions, at most 07777
  std::optional<ContainerUid> uid;
  std::optional<ContainerGid> gid;
};

struct Seccomp {
  std::string profile;  // JSON, as seccomp/profile.h reads it; its flags stand in there too
  std::vector<std::string> flags;
  bool notifies = false;  // an action is SCMP_ACT_NOTIFY, and listener_path is there
  std::string listener_path;
  std::string listener_metadata;
};

struct IntelRdt {
  std::string clos_id;  // a directory's name; "": the container's ID
  std::string l3_cache_schema;
  std::string memory_bandwidth_schema;
  std::vector<std::string> schemata;  // lines
  bool enable_monitoring = false;     // enableMonitoring, or one of the older enableCMT and enableMBM
};

struct TimeOffset {
  enum class Clock { monotonic, boottime };
  Clock clock = Clock::monotonic;
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;  // below 1,000,000,000
};

struct Linux {
  std::vector<Namespace> namespaces;  // each type at most once
  // Both or none; each is a map that the kernel takes (idmap/id_map.h), and a user namespace is in the list.
  // A new one without them is for whoever makes it to fill in or to refuse.
  std::vector<idmap::Extent> uid_mappings;
  std::vector<idmap::Extent> gid_mappings;
  std::vector<TimeOffset> time_offsets;  // of a new time namespace
  // Each of an IPC, network or UTS namespace that the list above has. One that is joined by path may still be
  // the host's own, which only who opens it can see.
  std::vector<Sysctl> sysctls;
  std::optional<Resources> resources;
  std::string cgroups_path;  // as it stands there, "slice:prefix:name" with systemd; no part of it is ".."
  std::vector<DeviceNode> devices;
  std::optional<Seccomp> seccomp;
  std::optional<Propagation> rootfs_propagation;
  std::vector<std::string> masked_paths;    // absolute
  std::vector<std::string> readonly_paths;  // absolute
  std::string mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<uint32_t> personality;  // PER_*
};

struct Config {
  std::string oci_version;
  Root root;
  std::optional<Process> process;  // there has to be one to start
  std::string hostname;            // at most 64 bytes, and a UTS namespace is in the list, as for the next
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux_part;
};

struct ParsedConfig {
  Config config;
  std::vector<std::string> warnings;  // for the log, each with the place in the document
};

// Reads and checks the whole document, so that what can be known to fail does before anything is made. What
// the host has is not asked. Members that the specification does not have are ignored, as it demands
// (config.md, "Extensibility").
//
// Code::refused with the place and the value: "config.json: linux.uidMappings[2].size: 0 is not allowed".
Result<ParsedConfig> parse_config(std::string_view text);

// The namespace of a type, or nullptr if the list has none.
const Namespace* find_namespace(const std::vector<Namespace>& namespaces, NamespaceType type);

}  // namespace berth::bundle
