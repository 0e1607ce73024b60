// `berth-runtime features`.
#include "bundle/features.h"

#include "runtime_cli/command.h"
#include "seccomp/profile.h"

namespace berth::runtime_cli {

Result<int> features_command(const Invocation& invocation) {
  flags::Flags line(invocation, "",
                    "Prints what this runtime can do as JSON (runtime-spec, features.md), whatever the host "
                    "has.",
                    "  berth-runtime features\n");
  if (!TRY(line.parse())) return 0;
  bundle::Features features;
  features.cgroup = {.v1 = true, .v2 = true, .systemd = true, .systemd_user = false, .rdma = true};
  features.seccomp = {.enabled = true,
                      .actions = seccomp::action_names(),
                      .operators = seccomp::operator_names(),
                      .architectures = seccomp::architecture_names(),
                      .known_flags = seccomp::flag_names(),
                      .supported_flags = seccomp::usable_flag_names()};
  features.apparmor = true;
  features.selinux = false;  // processes are labelled, mounts are not
  features.intel_rdt = false;
  features.idmapped_mounts = true;
  fmt::print("{}\n", TRY(bundle::emit_features(features)));
  return 0;
}

}  // namespace berth::runtime_cli
