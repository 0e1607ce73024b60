#include "lifecycle/plan.h"

#include <sys/stat.h>

#include "lifecycle/plan_mounts.h"
#include "runtime/devices.h"

namespace berth::lifecycle {

namespace {

uint32_t device_type(char type) {
  if (type == 'b') return S_IFBLK;
  return type == 'p' ? S_IFIFO : S_IFCHR;
}

std::vector<runtime::DevicePlan> plan_devices(const bundle::Linux& linux_part) {
  std::vector<runtime::DevicePlan> devices = runtime::standard_devices();
  for (const bundle::DeviceNode& node : linux_part.devices) {
    constexpr uint32_t kDefaultMode = 0666;
    runtime::put_device(devices, {.path = node.path,
                                  .type = device_type(node.type),
                                  .major = node.major,
                                  .minor = node.minor,
                                  .mode = node.mode.value_or(kDefaultMode),
                                  .uid = node.uid ? node.uid->value() : 0,
                                  .gid = node.gid ? node.gid->value() : 0});
  }
  return devices;
}

void take_scheduling(const bundle::Process& process, runtime::ProcessPlan& plan) {
  if (process.scheduler) {
    const bundle::Scheduler& wanted = *process.scheduler;
    plan.scheduler = {wanted.policy,  wanted.nice,     wanted.priority, wanted.flags,
                      wanted.runtime, wanted.deadline, wanted.period};
  }
  constexpr unsigned kClassShift = 13;
  if (process.io_priority)
    plan.io_priority = process.io_priority->io_class << kClassShift | process.io_priority->priority;
}

}  // namespace

std::string absolute(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

runtime::AffinityPlan plan_affinity(const bundle::CpuAffinity& affinity) {
  runtime::AffinityPlan plan;
  for (const CpuRange& range : affinity.initial) plan.initial.push_back({range.first, range.last});
  for (const CpuRange& range : affinity.final) plan.final.push_back({range.first, range.last});
  return plan;
}

std::vector<runtime::HookPlan> plan_hooks(const std::vector<bundle::Hook>& hooks) {
  std::vector<runtime::HookPlan> plans;
  for (const bundle::Hook& hook : hooks) {
    std::vector<std::string> words = hook.args;
    if (words.empty()) words.push_back(hook.path);
    plans.push_back({hook.path, std::move(words), hook.env, static_cast<uint32_t>(hook.timeout.value_or(0))});
  }
  return plans;
}

Result<runtime::ProcessPlan> plan_process(const bundle::Process& process, const PlanFacts& facts) {
  runtime::ProcessPlan plan{.argv = process.args,
                            .environment = process.env,
                            .working_directory = process.cwd,
                            .uid = process.user.uid.value(),
                            .gid = process.user.gid.value(),
                            .umask = process.user.umask.value_or(facts.umask),
                            .no_new_privileges = process.no_new_privileges,
                            .seccomp = facts.seccomp_filter,
                            .seccomp_flags = facts.seccomp_flags,
                            .terminal = process.terminal,
                            .init = false,
                            .own_keyring = facts.own_keyring,
                            .apparmor_profile = process.apparmor_profile,
                            .selinux_label = process.selinux_label};
  // IDs outside the map could not be taken on; the message is better now than from the kernel.
  TRY_CONTEXT(runtime::outside_id(facts.uid_map, plan.uid), "process.user.uid");
  TRY_CONTEXT(runtime::outside_id(facts.gid_map, plan.gid), "process.user.gid");
  for (const ContainerGid group : process.user.additional_gids) plan.groups.push_back(group.value());
  if (process.capabilities) plan.capabilities = *process.capabilities;
  take_scheduling(process, plan);
  for (const bundle::ResourceLimit& limit : process.rlimits)
    plan.limits.push_back({limit.resource, limit.soft, limit.hard});
  if (process.console_size) {
    plan.rows = process.console_size->rows;
    plan.columns = process.console_size->columns;
  }
  return plan;
}

Result<runtime::ContainerPlan> plan_container(const bundle::Config& config, const PlanFacts& facts) {
  if (!config.process) return fail(Code::refused, "config.json: process is needed, and is not there");
  const bundle::Linux& linux_part = config.linux_part;
  runtime::ContainerPlan plan{.id = facts.id,
                              .name = facts.id,
                              .hostname = config.hostname,
                              .domainname = config.domainname,
                              .namespaces = facts.namespaces,
                              .uid_map = facts.uid_map,
                              .gid_map = facts.gid_map,
                              .devices = plan_devices(linux_part),
                              .masked_paths = linux_part.masked_paths,
                              .read_only_paths = linux_part.readonly_paths};
  plan.rootfs.directory = absolute(facts.bundle, config.root.path);
  plan.rootfs.read_only = config.root.readonly;
  if (linux_part.rootfs_propagation)
    plan.rootfs.propagation = {
        {linux_part.rootfs_propagation->type, linux_part.rootfs_propagation->recursive}};
  plan.mounts = TRY(plan_mounts(config, facts));
  for (const bundle::Sysctl& sysctl : linux_part.sysctls) plan.sysctls.push_back({sysctl.path, sysctl.value});
  plan.process = TRY(plan_process(*config.process, facts));
  plan.process.personality = linux_part.personality;
  plan.start_hooks = plan_hooks(config.hooks.start_container);
  return plan;
}

}  // namespace berth::lifecycle
