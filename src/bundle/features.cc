#include "bundle/features.h"

#include <array>
#include <nlohmann/json.hpp>

#include "bundle/config.h"
#include "bundle/mount_options.h"
#include "oci/capability_names.h"
#include "oci/json.h"

namespace berth::bundle {

namespace {

using nlohmann::json;

void put(json& object, const char* key, const std::optional<bool>& value) {
  if (value) object[key] = *value;
}

void put_enabled(json& object, const char* key, const std::optional<bool>& value) {
  if (value) object[key] = {{"enabled", *value}};
}

json hooks() {
  return {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
}

json namespaces() {
  json names = json::array();
  for (size_t type = 0; type <= static_cast<size_t>(NamespaceType::uts); ++type) {
    names.push_back(namespace_name(static_cast<NamespaceType>(type)));
  }
  return names;
}

json capabilities() {
  json names = json::array();
  for (unsigned number = 0; number <= oci::last_named_capability(); ++number) {
    names.push_back(oci::capability_name(number));
  }
  return names;
}

json to_json(const Features::Cgroup& cgroup) {
  json out = json::object();
  put(out, "v1", cgroup.v1);
  put(out, "v2", cgroup.v2);
  put(out, "systemd", cgroup.systemd);
  put(out, "systemdUser", cgroup.systemd_user);
  put(out, "rdma", cgroup.rdma);
  return out;
}

json to_json(const Features::Seccomp& seccomp) {
  json out = json::object();
  put(out, "enabled", seccomp.enabled);
  if (!seccomp.enabled.value_or(false)) return out;
  out["actions"] = seccomp.actions;
  out["operators"] = seccomp.operators;
  out["archs"] = seccomp.architectures;
  out["knownFlags"] = seccomp.known_flags;
  out["supportedFlags"] = seccomp.supported_flags;
  return out;
}

json linux_features(const Features& features) {
  json out{{"namespaces", namespaces()},
           {"capabilities", capabilities()},
           {"cgroup", to_json(features.cgroup)},
           {"seccomp", to_json(features.seccomp)}};
  put_enabled(out, "apparmor", features.apparmor);
  put_enabled(out, "selinux", features.selinux);
  put_enabled(out, "intelRdt", features.intel_rdt);
  if (features.idmapped_mounts) out["mountExtensions"]["idmap"] = {{"enabled", *features.idmapped_mounts}};
  return out;
}

}  // namespace

Result<std::string> emit_features(const Features& features) {
  json out{{"ociVersionMin", kOldestVersion},
           {"ociVersionMax", kNewestVersion},
           {"hooks", hooks()},
           {"mountOptions", mount_option_names()},
           {"linux", linux_features(features)}};
  if (!features.annotations.empty()) out["annotations"] = features.annotations;
  if (!features.potentially_unsafe_annotations.empty()) {
    out["potentiallyUnsafeConfigAnnotations"] = features.potentially_unsafe_annotations;
  }
  return oci::emit_json(out);
}

}  // namespace berth::bundle
