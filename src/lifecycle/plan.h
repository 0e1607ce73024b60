// From a bundle's configuration to the runtime's plan. Pure: what the host has is in the facts.
#pragma once

#include <string>

#include "bundle/config.h"
#include "cgroup/hierarchies.h"
#include "runtime/exec.h"
#include "runtime/plan.h"

namespace berth::lifecycle {

struct PlanFacts {
  std::string id;
  std::string bundle;  // absolute
  runtime::NamespacesPlan namespaces;
  std::vector<runtime::IdExtent> uid_map;  // of the user namespace that it has or joins; empty: the host's
  std::vector<runtime::IdExtent> gid_map;
  uint32_t umask = 0022;       // the caller's
  std::string seccomp_filter;  // compiled
  uint32_t seccomp_flags = 0;
  bool own_keyring = true;
  const cgroup::Hierarchies& hierarchies;
};

// Code::refused for what can't be done, with the place in config.json.
Result<runtime::ContainerPlan> plan_container(const bundle::Config& config, const PlanFacts& facts);

// A process of `exec`, or the container's own.
Result<runtime::ProcessPlan> plan_process(const bundle::Process& process, const PlanFacts& facts);

runtime::AffinityPlan plan_affinity(const bundle::CpuAffinity& affinity);

std::vector<runtime::HookPlan> plan_hooks(const std::vector<bundle::Hook>& hooks);

// Relative to the bundle.
std::string absolute(const std::string& bundle, const std::string& path);

}  // namespace berth::lifecycle
