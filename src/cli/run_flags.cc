#include "cli/run_flags.h"

#include <CLI/CLI.hpp>

#include <fcntl.h>

#include "base/nearest.h"
#include "cli/flag_values.h"
#include "engine/names.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

constexpr const char* kProcess = "The process";
constexpr const char* kFiles = "Files";
constexpr const char* kIsolation = "Isolation";
constexpr const char* kContainer = "The container";

// A flag that may be given several times, one value each.
void add_list(CLI::App& app, const char* names, std::vector<std::string>& into, const char* text,
              const char* group) {
  app.add_option(names, into, text)->allow_extra_args(false)->group(group);
}

void add_process_flags(CLI::App& app, RunFlags& flags) {
  app.add_flag("-i,--interactive", flags.interactive, "Pass the standard input on")->group(kProcess);
  app.add_flag("-t,--tty", flags.terminal, "Give the container a terminal")->group(kProcess);
  add_list(app, "-e,--env", flags.environment, "NAME=VALUE, or NAME to pass on the caller's own", kProcess);
  add_list(app, "--env-file", flags.environment_files, "A file with a NAME=VALUE a line", kProcess);
  app.add_option("-w,--workdir", flags.working_directory, "The working directory")->group(kProcess);
  app.add_option("-u,--user", flags.user, "USER[:GROUP], names or numbers; any number works")
      ->group(kProcess);
  app.add_option("--entrypoint", flags.entrypoint,
                 "In the place of the image's ENTRYPOINT: a word, or a JSON array")
      ->group(kProcess);
  add_list(app, "--group-add", flags.groups, "One more supplementary group, by name or number", kProcess);
  add_list(app, "--ulimit", flags.limits, "NAME=SOFT[:HARD], for example nofile=1024", kProcess);
  app.add_flag("--init,!--no-init", flags.init,
               "Run berth-init as PID 1 (default; --init=false: the process itself)")
      ->group(kProcess);
  app.add_option("--stop-signal", flags.stop_signal, "The signal that asks the process to stop")
      ->group(kProcess);
  app.add_flag("--sig-proxy", flags.signal_proxy, "Pass signals on to the process (default)")
      ->group(kProcess);
}

void add_file_flags(CLI::App& app, RunFlags& flags) {
  app.add_flag("--read-only", flags.read_only, "Make the root file system read-only")->group(kFiles);
  app.add_flag("--read-only-tmpfs", flags.read_only_tmpfs,
               "With --read-only, keep /run, /tmp, /var/tmp writable (default)")
      ->group(kFiles);
  add_list(app, "--tmpfs", flags.tmpfs, "TARGET[:OPTIONS], for example /tmp:size=64m", kFiles);
  add_list(app, "-v,--volume", flags.volumes, "SOURCE:TARGET[:ro,…]: a host path or a volume's name", kFiles);
  add_list(app, "--mount", flags.mounts, "type=bind|volume|tmpfs,source=…,target=…[,ro,…]", kFiles);
  add_list(app, "--device", flags.devices, "HOST[:CONTAINER][:rwm], a device node of the host's", kFiles);
  app.add_option("--shm-size", flags.shm_size, "The size of /dev/shm, for example 64m (default)")
      ->group(kFiles);
}

void add_isolation_flags(CLI::App& app, RunFlags& flags) {
  app.add_option("--userns", flags.userns, "private (default: a bank of its own) or host")->group(kIsolation);
  app.add_option("--network", flags.network, "none (default: loopback only) or host")->group(kIsolation);
  add_list(app, "--cap-add", flags.capabilities_added, "Add a capability, or ALL", kIsolation);
  add_list(app, "--cap-drop", flags.capabilities_dropped, "Drop a capability, or ALL", kIsolation);
  add_list(app, "--security-opt", flags.security, "no-new-privileges, seccomp=FILE, seccomp=unconfined",
           kIsolation);
  app.add_flag("--privileged", flags.privileged,
               "All capabilities within the container's own IDs, no seccomp filter, nothing masked")
      ->group(kIsolation);
  add_list(app, "--sysctl", flags.sysctls, "NAME=VALUE, of the container's own namespaces", kIsolation);
}

void add_container_flags(CLI::App& app, RunFlags& flags) {
  app.add_option("--name", flags.name, "The container's name")->group(kContainer);
  app.add_option("--hostname", flags.hostname, "Its hostname (default: the short ID)")->group(kContainer);
  app.add_flag("--rm", flags.remove, "Remove it when it ends")->group(kContainer);
  add_list(app, "-l,--label", flags.labels, "KEY=VALUE", kContainer);
  add_list(app, "--annotation", flags.annotations, "KEY=VALUE", kContainer);
  app.add_option("--cidfile", flags.cid_file, "Write the container's ID to this file")->group(kContainer);
  app.add_option("--pull", flags.pull, "missing (default), always, never or newer")
      ->check(CLI::IsMember({"missing", "always", "never", "newer"}))
      ->group(kContainer);
  app.add_option("--platform", flags.platform, "OS/ARCH[/VARIANT] of the image to pull")->group(kContainer);
}

// "sh" or ["sh","-c"]; the empty word takes the image's away.
Result<std::vector<std::string>> parse_entrypoint(const std::string& text) {
  if (text.empty()) return std::vector<std::string>{};
  if (text.front() != '[') return std::vector<std::string>{text};
  return TRY_CONTEXT(engine::words_from_json(text), "--entrypoint {}", text);
}

Result<> apply_security(const std::vector<std::string>& options, engine::ContainerSpec& spec) {
  constexpr size_t kLargestProfile = 4U << 20;
  for (const std::string& option : options) {
    // Docker's older spelling has a colon.
    const size_t end = option.find_first_of("=:");
    const std::string key = option.substr(0, end);
    const std::string value = end == std::string::npos ? "" : option.substr(end + 1);
    if (key == "no-new-privileges" && (value.empty() || value == "true" || value == "false")) {
      spec.no_new_privileges = value != "false";
    } else if (key == "seccomp" && value == "unconfined") {
      spec.seccomp = value;
    } else if (key == "seccomp" && !value.empty()) {
      spec.seccomp =
          TRY_CONTEXT(sys::read_file_at(AT_FDCWD, value, kLargestProfile), "--security-opt {}", option);
    } else if (key == "unconfined" || (key == "apparmor" && value == "unconfined") ||
               (key == "label" && value == "disable")) {
      if (key == "unconfined") spec.seccomp = "unconfined";
    } else {
      Error error{Code::usage, 0, fmt::format("--security-opt {}: berth has no such option", option), {}};
      return std::unexpected(
          std::move(error).with_hint("It is one of no-new-privileges, seccomp=FILE and seccomp=unconfined."));
    }
  }
  return {};
}

Result<> check_choices(const RunFlags& flags) {
  if (flags.network != "none" && flags.network != "host") {
    return fail(Code::usage, "--network {}: this version has none and host", flags.network);
  }
  if (flags.userns != "private" && flags.userns != "host") {
    return fail(Code::usage, "--userns {}: this version has private and host", flags.userns);
  }
  if (!flags.working_directory.empty() && flags.working_directory.front() != '/') {
    return fail(Code::usage, "--workdir {}: it must be an absolute path", flags.working_directory);
  }
  constexpr size_t kLongestHostname = 64;
  if (flags.hostname.size() > kLongestHostname ||
      flags.hostname.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
          std::string::npos) {
    return fail(Code::usage, "--hostname {}: it is at most 64 letters, digits, dots and hyphens",
                flags.hostname);
  }
  if (!flags.name.empty()) TRY(engine::check_name(flags.name));
  if (!flags.stop_signal.empty()) TRY_CONTEXT(parse_signal(flags.stop_signal), "--stop-signal");
  return {};
}

Result<> add_mounts(const RunFlags& flags, engine::ContainerSpec& spec) {
  for (const std::string& text : flags.volumes) spec.mounts.push_back(TRY(parse_volume(text)));
  for (const std::string& text : flags.mounts) spec.mounts.push_back(TRY(parse_mount(text)));
  for (const std::string& text : flags.tmpfs) spec.mounts.push_back(TRY(parse_tmpfs(text)));
  for (const engine::MountSpec& mount : spec.mounts) {
    for (const engine::MountSpec& other : spec.mounts) {
      if (&mount != &other && mount.target == other.target) {
        return fail(Code::usage, "two mounts have the same place in the container, {}", mount.target);
      }
    }
  }
  return {};
}

}  // namespace

void add_run_flags(CLI::App& app, RunFlags& flags) {
  app.prefix_command();  // what follows the image is the container's
  add_process_flags(app, flags);
  add_file_flags(app, flags);
  add_isolation_flags(app, flags);
  add_container_flags(app, flags);
}

Result<> take_image_and_command(const CLI::App& app, const Invocation& invocation, RunFlags& flags) {
  std::vector<std::string> rest = app.remaining();
  if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
  if (rest.empty()) {
    Error error{Code::usage, 0, fmt::format("berth {} needs an image", invocation.name), {}};
    return std::unexpected(
        std::move(error).with_hint(fmt::format("`berth {} --help` shows how.", invocation.name)));
  }
  if (rest.front().starts_with('-')) return unknown_flag(app, invocation, rest.front());
  flags.image = rest.front();
  flags.command.assign(rest.begin() + 1, rest.end());
  return {};
}

Result<engine::ContainerSpec> container_spec(const RunFlags& flags) {
  TRY(check_choices(flags));
  engine::ContainerSpec spec;
  spec.hostname = flags.hostname;
  spec.command = flags.command;
  if (flags.entrypoint) spec.entrypoint = TRY(parse_entrypoint(*flags.entrypoint));
  for (const std::string& path : flags.environment_files) {
    for (engine::Pair& pair : TRY(read_environment_file(path))) spec.environment.push_back(std::move(pair));
  }
  for (engine::Pair& pair : TRY(parse_environment(flags.environment)))
    spec.environment.push_back(std::move(pair));
  spec.working_directory = flags.working_directory;
  spec.user = flags.user;
  spec.additional_groups = flags.groups;
  spec.interactive = flags.interactive;
  spec.terminal = flags.terminal;
  spec.read_only = flags.read_only;
  spec.read_only_tmpfs = flags.read_only_tmpfs;
  TRY(add_mounts(flags, spec));
  spec.network = flags.network;
  spec.capabilities_added = flags.capabilities_added;
  spec.capabilities_dropped = flags.capabilities_dropped;
  spec.privileged = flags.privileged;
  TRY(apply_security(flags.security, spec));
  for (const std::string& text : flags.devices) spec.devices.push_back(TRY(parse_device(text)));
  for (const std::string& text : flags.limits) spec.limits.push_back(TRY(parse_limit(text)));
  for (const std::string& text : flags.sysctls) spec.sysctls.push_back(TRY(parse_pair("--sysctl", text)));
  if (!flags.shm_size.empty()) spec.shm_size = TRY(parse_size("--shm-size", flags.shm_size));
  for (const std::string& text : flags.labels) spec.labels.push_back(TRY(parse_pair("--label", text)));
  for (const std::string& text : flags.annotations)
    spec.annotations.push_back(TRY(parse_pair("--annotation", text)));
  spec.stop_signal = flags.stop_signal;
  spec.init = flags.init;
  spec.userns = flags.userns;
  return spec;
}

}  // namespace berth::cli
