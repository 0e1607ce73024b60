#include "engine/plan_container.h"

#include <algorithm>
#include <array>

#include <sys/mount.h>
#include <sys/resource.h>

#include "engine/plan_mounts.h"
#include "runtime/devices.h"

namespace berth::engine {

namespace {

constexpr std::array<const char*, 12> kMaskedPaths{
    "/proc/acpi",       "/proc/kcore",       "/proc/keys",        "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
    "/proc/interrupts", "/sys/firmware",     "/sys/fs/selinux",   "/sys/devices/virtual/powercap"};
constexpr std::array<const char*, 6> kReadOnlyPaths{"/proc/asound", "/proc/bus", "/proc/fs",
                                                    "/proc/irq",    "/proc/sys", "/proc/sysrq-trigger"};

void set_variable(std::vector<std::string>& environment, std::string_view key, std::string_view value) {
  const std::string prefix = fmt::format("{}=", key);
  for (std::string& variable : environment) {
    if (variable.starts_with(prefix)) {
      variable = prefix + std::string(value);
      return;
    }
  }
  environment.push_back(prefix + std::string(value));
}

std::string hostname_of(const PlanInputs& inputs) {
  constexpr size_t kShortId = 12;
  return inputs.spec.hostname.empty() ? inputs.id.substr(0, kShortId) : inputs.spec.hostname;
}

std::vector<std::string> environment(const PlanInputs& inputs) {
  std::vector<std::string> result{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                  "container=berth"};
  if (inputs.spec.terminal) result.emplace_back("TERM=xterm");
  set_variable(result, "HOSTNAME", hostname_of(inputs));
  set_variable(result, "HOME", inputs.home);
  for (const std::string& variable : inputs.image.env) {
    const size_t equals = variable.find('=');
    if (equals != std::string::npos)
      set_variable(result, variable.substr(0, equals), variable.substr(equals + 1));
  }
  for (const Pair& pair : inputs.spec.environment) set_variable(result, pair.key, pair.value);
  return result;
}

bool has_own_ipc(const ContainerSpec& spec) {
  return spec.spaces.ipc != kHostSpace && container_of_space(spec.spaces.ipc).empty();
}

Result<std::vector<runtime::Setting>> settings(const ContainerSpec& spec) {
  std::vector<runtime::Setting> result;
  for (const Pair& sysctl : spec.sysctls) {
    const std::string path = TRY(sysctl_path(sysctl.key, spec.network != "host"));
    const bool of_ipc = path.starts_with("fs/mqueue/") || path.starts_with("kernel/msg") ||
                        path.starts_with("kernel/sem") || path.starts_with("kernel/shm");
    if (of_ipc && !has_own_ipc(spec)) {
      return fail(Code::usage, "--sysctl {}: with --ipc {} it is not the container's own", sysctl.key,
                  spec.spaces.ipc);
    }
    result.push_back({path, sysctl.value});
  }
  return result;
}

std::vector<runtime::DevicePlan> plan_devices(const PlanInputs& inputs) {
  std::vector<runtime::DevicePlan> devices = runtime::standard_devices();
  for (const runtime::DevicePlan& device : inputs.devices) runtime::put_device(devices, device);
  return devices;
}

}  // namespace

Result<std::vector<std::string>> command_line(const ContainerSpec& spec, const oci::ImageConfig& image) {
  std::vector<std::string> words = spec.entrypoint ? *spec.entrypoint : image.entrypoint;
  // An --entrypoint is the person's own, so the image's arguments for another one do not follow it.
  const std::vector<std::string>& rest = !spec.command.empty() || spec.entrypoint ? spec.command : image.cmd;
  words.insert(words.end(), rest.begin(), rest.end());
  if (words.empty()) {
    Error error{Code::usage, 0, "there is no command to run: the image names none and none was given", {}};
    return std::unexpected(
        std::move(error).with_hint("Put the command after the image: `berth run IMAGE COMMAND`."));
  }
  for (const std::string& word : words) {
    if (word.find('\0') != std::string::npos)
      return fail(Code::refused, "the image's command holds a NUL byte");
  }
  return words;
}

Result<std::string> sysctl_path(std::string_view key, bool private_network) {
  if (key.empty() ||
      key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") !=
          std::string_view::npos) {
    return fail(Code::usage, "--sysctl {}: that is no name of a sysctl", key);
  }
  std::string path(key);
  std::replace(path.begin(), path.end(), '.', '/');
  if (path.find("//") != std::string::npos || path.front() == '/' || path.back() == '/') {
    return fail(Code::usage, "--sysctl {}: that is no name of a sysctl", key);
  }
  constexpr std::array<std::string_view, 8> kIpc{"kernel/msgmax", "kernel/msgmnb",         "kernel/msgmni",
                                                 "kernel/sem",    "kernel/shmall",         "kernel/shmmax",
                                                 "kernel/shmmni", "kernel/shm_rmid_forced"};
  const bool ipc = std::find(kIpc.begin(), kIpc.end(), path) != kIpc.end() || path.starts_with("fs/mqueue/");
  const bool uts = path == "kernel/domainname" || path == "kernel/hostname";
  const bool net = path.starts_with("net/");
  if (net && !private_network) {
    return fail(Code::refused, "--sysctl {}: with --network host it is the host's own, and is not changed",
                key);
  }
  if (!ipc && !uts && !net) {
    return fail(Code::refused, "--sysctl {}: it belongs to the whole host, not to a container", key);
  }
  return path;
}

std::optional<uint32_t> limit_number(std::string_view name) {
  struct Name {
    std::string_view name;
    uint32_t number;
  };
  constexpr std::array<Name, 16> kNames{{{"core", RLIMIT_CORE},
                                         {"cpu", RLIMIT_CPU},
                                         {"data", RLIMIT_DATA},
                                         {"fsize", RLIMIT_FSIZE},
                                         {"locks", RLIMIT_LOCKS},
                                         {"memlock", RLIMIT_MEMLOCK},
                                         {"msgqueue", RLIMIT_MSGQUEUE},
                                         {"nice", RLIMIT_NICE},
                                         {"nofile", RLIMIT_NOFILE},
                                         {"nproc", RLIMIT_NPROC},
                                         {"rss", RLIMIT_RSS},
                                         {"rtprio", RLIMIT_RTPRIO},
                                         {"rttime", RLIMIT_RTTIME},
                                         {"sigpending", RLIMIT_SIGPENDING},
                                         {"stack", RLIMIT_STACK},
                                         {"as", RLIMIT_AS}}};
  for (const Name& candidate : kNames) {
    if (candidate.name == name) return candidate.number;
  }
  return std::nullopt;
}

Result<runtime::ProcessPlan> plan_process(const PlanInputs& inputs) {
  const ContainerSpec& spec = inputs.spec;
  runtime::ProcessPlan process;
  process.argv = TRY(command_line(spec, inputs.image));
  process.environment = environment(inputs);
  process.working_directory = working_directory_of(spec, inputs.image);
  if (process.working_directory.empty()) process.working_directory = "/";
  process.uid = inputs.user.uid.value();
  process.gid = inputs.user.gid.value();
  for (const ContainerGid group : inputs.user.groups) process.groups.push_back(group.value());
  process.keep_groups = inputs.user.keeps_groups;
  process.capabilities = inputs.capabilities;
  process.no_new_privileges = spec.no_new_privileges;
  process.seccomp = inputs.seccomp.program;
  process.seccomp_flags = inputs.seccomp.flags;
  process.terminal = spec.terminal;
  process.init = spec.init;
  for (const LimitSpec& limit : spec.limits) {
    const std::optional<uint32_t> number = limit_number(limit.name);
    if (!number) return fail(Code::usage, "--ulimit {}: there is no such limit", limit.name);
    process.limits.push_back({*number, limit.soft, limit.hard});
  }
  return process;
}

Result<runtime::ContainerPlan> plan_container(const PlanInputs& inputs) {
  const ContainerSpec& spec = inputs.spec;
  runtime::ContainerPlan plan;
  plan.id = inputs.id;
  plan.name = inputs.name;
  plan.hostname = hostname_of(inputs);
  if (inputs.uid_map) plan.uid_map = runtime::extents_of(inputs.uid_map->extents());
  if (inputs.gid_map) plan.gid_map = runtime::extents_of(inputs.gid_map->extents());
  plan.rootfs = {.layers = inputs.layers,
                 .upper = inputs.files.upper,
                 .work = inputs.files.work,
                 .read_only = spec.read_only,
                 .transient = inputs.transient,
                 .translated = inputs.translated};
  plan.mounts = TRY(plan_mounts(inputs));
  plan.devices = plan_devices(inputs);
  if (!spec.privileged) {
    plan.masked_paths.assign(kMaskedPaths.begin(), kMaskedPaths.end());
    plan.read_only_paths.assign(kReadOnlyPaths.begin(), kReadOnlyPaths.end());
  }
  plan.sysctls = TRY(settings(spec));
  plan.process = TRY(plan_process(inputs));
  return plan;
}

}  // namespace berth::engine
