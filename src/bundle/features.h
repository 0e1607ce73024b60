// The document of `features` (runtime-spec 1.2, features.md and features-linux.md).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace berth::bundle {

// What is not known here: which parts of the runtime are there. That of the document which this folder reads
// (versions, hooks, mount options, namespaces, capabilities) is filled in by emit_features().
//
// A feature is one of the runtime, whatever the host has. "Not said" is not the same as false (features.md).
struct Features {
  struct Cgroup {
    std::optional<bool> v1, v2, systemd, systemd_user, rdma;
  };
  struct Seccomp {
    std::optional<bool> enabled;
    std::vector<std::string> actions;    // "SCMP_ACT_ALLOW"
    std::vector<std::string> operators;  // "SCMP_CMP_EQ"
    std::vector<std::string> architectures;
    std::vector<std::string> known_flags;
    std::vector<std::string> supported_flags;
  };
  Cgroup cgroup;
  Seccomp seccomp;
  std::optional<bool> apparmor;
  std::optional<bool> selinux;
  std::optional<bool> intel_rdt;
  std::optional<bool> idmapped_mounts;  // linux.mountExtensions.idmap.enabled
  std::map<std::string, std::string> annotations;
  // Annotations of config.json that change what the runtime does, so that whoever takes them from a user
  // should look at them first; a last '.' stands for all that begin so.
  std::vector<std::string> potentially_unsafe_annotations;
};

// JSON in one line, without a newline. Code::refused where a text is not UTF-8.
Result<std::string> emit_features(const Features& features);

}  // namespace berth::bundle
