// What a container is to be, wholly decided: every ID translated, every source resolved, every default
// applied. The engine makes a plan, berth-monitor applies it (assembly.h, container.h); neither asks the
// other anything in between.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "idmap/id_map.h"
#include "sys/capabilities.h"
#include "wire/archive.h"

namespace berth::runtime {

// Whose a namespace of the container's is: the host's, one of its own, or one that was there before.
enum class NamespaceUse : uint8_t { host, own, joined };

// The mount namespace is the container's own in any case.
struct NamespacesPlan {
  NamespaceUse user = NamespaceUse::own;
  NamespaceUse pid = NamespaceUse::own;
  NamespaceUse network = NamespaceUse::own;
  NamespaceUse ipc = NamespaceUse::own;
  NamespaceUse uts = NamespaceUse::own;
  NamespaceUse cgroup = NamespaceUse::own;
  NamespaceUse time = NamespaceUse::host;
  template <typename A>
  void fields(A& a) {
    a(user, pid, network, ipc, uts, cgroup, time);
  }
  bool operator==(const NamespacesPlan&) const = default;
};

// One line of /proc/PID/uid_map.
struct IdExtent {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t count = 0;
  bool operator==(const IdExtent&) const = default;
  template <typename A>
  void fields(A& a) {
    a(inside, outside, count);
  }
};

// A map as a plan has it.
std::vector<IdExtent> extents_of(std::span<const idmap::Extent> map);

// Attributes of mounts (MOUNT_ATTR_*, mount_setattr(2)): what is set and what is cleared; the rest stays.
struct AttributeChange {
  uint64_t set = 0;
  uint64_t clear = 0;
  template <typename A>
  void fields(A& a) {
    a(set, clear);
  }
  bool operator==(const AttributeChange&) const = default;
};

// How what is mounted and unmounted reaches other namespaces (mount_namespaces(7)).
struct Propagation {
  uint64_t type = 0;  // MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE
  bool recursive = false;
  template <typename A>
  void fields(A& a) {
    a(type, recursive);
  }
};

struct RootfsPlan {
  // Either a directory of the host's, taken as it is with all that is mounted below it, …
  std::string directory;
  // … or layers, directories on the host, lowest first, with
  std::vector<std::string> layers;
  std::string upper;  // the container's own layer and overlayfs's work directory beside it; empty: what
  std::string work;   // comes of it can only be read, and there are two layers at least
  bool read_only = false;
  // The upper goes when the container ends. Then overlayfs need not write everything that is dirty on that
  // file system to the disk when it is unmounted (overlayfs.rst, "Volatile mount").
  bool transient = false;
  // Layers and upper bear the host's IDs and are taken as they are. Else they are in identity mapping, and
  // each is seen through the container's map.
  bool translated = false;
  // Of the root mount, once everything is mounted below it. Empty: private.
  std::vector<Propagation> propagation;
  template <typename A>
  void fields(A& a) {
    a(directory, layers, upper, work, read_only, transient, translated, propagation);
  }
};

enum class MountKind : uint8_t {
  bind,        // source: a path on the host
  filesystem,  // made by the host's root: its superblock is the host's own
  namespaced,  // made by the container's process in its namespaces, as proc, sysfs, mqueue and devpts are
  remount,     // no new one: what is at the target gets other attributes
};

struct MountPlan {
  MountKind kind = MountKind::bind;
  std::string type;                  // of a file system: "tmpfs"
  std::string source;                // of a file system: what it shows as its source; empty: its type
  std::string target;                // inside the container
  std::vector<std::string> options;  // of a file system: "size=65536k", or a name alone
  AttributeChange below;             // bind: of the mount and all below it; comes first
  AttributeChange attributes;  // of the mount itself; NODEV of /dev leaves the plan's own devices usable
  std::vector<Propagation> propagation;  // bind: one after another; empty: private, and so is all below it
  bool recursive = false;                // bind: with all submounts
  bool copy_up = false;                  // tmpfs: begins with what the root file system has there
  // bind: the source is a path in the mount namespace of this process, the mount there without those below
  // it, and not mapped. The start is as sys::start_time() has it. 0: in the host's.
  int32_t of_process = 0;
  int64_t of_process_start = 0;
  bool map_ids = false;    // bind: what is on disk is seen through a map, with all submounts …
  bool map_alone = false;  // … or without them
  // That map, from the IDs on disk (IdExtent::inside) to the host's as who they are taken for (outside).
  // Empty: the container's own, so that what is on disk bears the container's IDs (identity mapping).
  std::vector<IdExtent> uid_map;
  std::vector<IdExtent> gid_map;
  template <typename A>
  void fields(A& a) {
    a(kind, type, source, target, options, below, attributes, propagation, recursive, copy_up, of_process,
      of_process_start, map_ids, map_alone, uid_map, gid_map);
  }
};

struct DevicePlan {
  std::string path;   // below /dev
  uint32_t type = 0;  // S_IFCHR, S_IFBLK or S_IFIFO
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t mode = 0666;
  uint32_t uid = 0;  // in the container
  uint32_t gid = 0;
  template <typename A>
  void fields(A& a) {
    a(path, type, major, minor, mode, uid, gid);
  }
};

struct ResourceLimit {
  uint32_t resource = 0;  // RLIMIT_*
  uint64_t soft = 0;
  uint64_t hard = 0;
  template <typename A>
  void fields(A& a) {
    a(resource, soft, hard);
  }
};

// A program that the container's process executes, in the container, before its own (runtime-spec 1.2,
// config.md, "startContainer"). It gets the plan's `state` on its standard input.
struct HookPlan {
  std::string path;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  uint32_t timeout = 0;  // seconds; 0: none
  template <typename A>
  void fields(A& a) {
    a(path, argv, environment, timeout);
  }
};

// sched_setattr(2).
struct SchedulerPlan {
  uint32_t policy = 0;  // SCHED_*
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t flags = 0;
  uint64_t runtime = 0;  // nanoseconds, as the next two
  uint64_t deadline = 0;
  uint64_t period = 0;
  template <typename A>
  void fields(A& a) {
    a(policy, nice, priority, flags, runtime, deadline, period);
  }
};

struct Setting {  // a sysctl: "net/ipv4/ip_forward" and its value
  std::string path;
  std::string value;
  template <typename A>
  void fields(A& a) {
    a(path, value);
  }
};

struct ProcessPlan {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string working_directory = "/";
  uint32_t uid = 0;  // in the container
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  bool keep_groups = false;  // the groups that the process inherits stay; `groups` is not used
  uint32_t umask = 0022;
  sys::CapabilitySets capabilities;
  bool no_new_privileges = false;
  std::vector<ResourceLimit> limits;
  std::string seccomp;         // a compiled filter: struct sock_filter[]; empty for none
  uint32_t seccomp_flags = 0;  // SECCOMP_FILTER_FLAG_*
  bool terminal = false;
  uint16_t rows = 0;
  uint16_t columns = 0;
  bool init = true;                        // berth-init is PID 1 and this process its child
  bool own_keyring = true;                 // a session keyring of its own
  std::optional<SchedulerPlan> scheduler;  // none: the caller's
  std::optional<uint32_t> io_priority;     // ioprio_set(2): class << 13 | priority
  std::optional<uint32_t> personality;     // personality(2)
  std::string apparmor_profile;            // for the exec; empty: what it is in
  std::string selinux_label;
  template <typename A>
  void fields(A& a) {
    a(argv, environment, working_directory, uid, gid, groups, keep_groups, umask, capabilities,
      no_new_privileges, limits, seccomp, seccomp_flags, terminal, rows, columns, init, own_keyring,
      scheduler, io_priority, personality, apparmor_profile, selinux_label);
  }
};

struct ContainerPlan {
  std::string id;
  std::string name;
  std::string hostname;  // empty: as it is in its UTS namespace; the next likewise
  std::string domainname;
  NamespacesPlan namespaces;
  std::vector<IdExtent> uid_map;  // empty in the host's user namespace, the other's in a joined one
  std::vector<IdExtent> gid_map;
  RootfsPlan rootfs;
  std::vector<MountPlan> mounts;  // in order
  std::vector<DevicePlan> devices;
  std::vector<std::string> masked_paths;
  std::vector<std::string> read_only_paths;
  std::vector<Setting> sysctls;
  ProcessPlan process;
  std::vector<HookPlan> start_hooks;
  template <typename A>
  void fields(A& a) {
    a(id, name, hostname, domainname, namespaces, uid_map, gid_map, rootfs, mounts, devices, masked_paths,
      read_only_paths, sysctls, process, start_hooks);
  }
};

// The longest encoded plan that is read.
inline constexpr size_t kLargestPlan = size_t{16} << 20;

// The host's ID for a container's. The plan was checked when it was made, so an ID that has none is an error
// in berth.
Result<uint32_t> outside_id(const std::vector<IdExtent>& map, uint32_t inside);

// The text of /proc/PID/uid_map.
std::string map_text(const std::vector<IdExtent>& map);

}  // namespace berth::runtime

template <>
struct berth::wire::LastValue<berth::runtime::NamespaceUse> {
  static constexpr auto value = berth::runtime::NamespaceUse::joined;
};

template <>
struct berth::wire::LastValue<berth::runtime::MountKind> {
  static constexpr auto value = berth::runtime::MountKind::remount;
};
