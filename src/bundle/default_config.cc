#include "bundle/default_config.h"

#include <nlohmann/json.hpp>

#include "bundle/config.h"

namespace berth::bundle {

namespace {

// In the order in which a person reads it.
using json = nlohmann::ordered_json;

json process() {
  const json capabilities{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  return {{"terminal", true},
          {"user", {{"uid", 0}, {"gid", 0}}},
          {"args", json::array({"sh"})},
          {"env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
          {"cwd", "/"},
          {"capabilities",
           {{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
          {"noNewPrivileges", true}};
}

json mount(const char* destination, const char* type, const char* source, json options = json::array()) {
  json out{{"destination", destination}, {"type", type}, {"source", source}};
  if (!options.empty()) out["options"] = std::move(options);
  return out;
}

// The group 5 that terminals have elsewhere is not mapped for one who has mapped only himself; and in the
// host's network namespace no new sysfs can be mounted.
json mounts(bool rootless) {
  json terminals = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (!rootless) terminals.push_back("gid=5");
  json out = json::array();
  out.push_back(mount("/proc", "proc", "proc"));
  out.push_back(mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  out.push_back(mount("/dev/pts", "devpts", "devpts", std::move(terminals)));
  out.push_back(mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}));
  out.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  if (rootless) {
    out.push_back(mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}));
    return out;
  }
  out.push_back(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  out.push_back(mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}));
  return out;
}

json one_id(uint32_t host) {
  return json::array({{{"containerID", 0}, {"hostID", host}, {"size", 1}}});
}

json linux_part(const std::optional<RootlessIds>& rootless) {
  json out = json::object();
  json namespaces = json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount", "cgroup"}) namespaces.push_back({{"type", type}});
  if (rootless) {
    namespaces.push_back({{"type", "user"}});
    out["uidMappings"] = one_id(rootless->uid);
    out["gidMappings"] = one_id(rootless->gid);
  } else {
    namespaces.push_back({{"type", "network"}});
    out["resources"]["devices"] = json::array({{{"allow", false}, {"access", "rwm"}}});
  }
  out["namespaces"] = std::move(namespaces);
  out["maskedPaths"] = {"/proc/acpi",
                        "/proc/asound",
                        "/proc/kcore",
                        "/proc/keys",
                        "/proc/latency_stats",
                        "/proc/timer_list",
                        "/proc/timer_stats",
                        "/proc/sched_debug",
                        "/proc/scsi",
                        "/sys/firmware",
                        "/sys/devices/virtual/powercap"};
  out["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return out;
}

}  // namespace

std::string default_config(const std::optional<RootlessIds>& rootless) {
  constexpr int kIndent = 2;
  const json out{{"ociVersion", kNewestVersion},
                 {"process", process()},
                 {"root", {{"path", "rootfs"}, {"readonly", true}}},
                 {"hostname", "berth"},
                 {"mounts", mounts(rootless.has_value())},
                 {"linux", linux_part(rootless)}};
  return out.dump(kIndent) + "\n";
}

}  // namespace berth::bundle
