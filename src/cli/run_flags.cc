#include "cli/run_flags.h"

#include <algorithm>

#include <fcntl.h>

#include "base/nearest.h"
#include "cli/flag_values.h"
#include "engine/container/names.h"
#include "engine/identity/host_users.h"
#include "engine/identity/identity_template.h"
#include "idmap/map_request.h"
#include "idmap/userns_mode.h"
#include "ledger/projects.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

void add_process_flags(Flags& line, RunFlags& flags) {
  line.heading("The process");
  line.flag("-i,--interactive", flags.interactive, "Pass the standard input on");
  line.flag("-t,--tty", flags.terminal, "Give the container a terminal");
  line.list("-e,--env", flags.environment, "NAME=VALUE, or NAME to pass on the caller's own");
  line.list("--env-file", flags.environment_files, "A file with a NAME=VALUE a line");
  line.value("-w,--workdir", flags.working_directory, "The working directory");
  line.value("-u,--user", flags.user, "USER[:GROUP], names or numbers; any number works");
  line.value("--entrypoint", flags.entrypoint,
             "In the place of the image's ENTRYPOINT: a word, or a JSON array");
  line.list("--group-add", flags.groups,
            "One more supplementary group, by name or number, or keep-groups: the caller's");
  line.flag("--passwd", flags.account_entries,
            "Give a user without one an entry in /etc/passwd and /etc/group (default)");
  line.value("--passwd-entry", flags.passwd_entry,
             "That entry, with $USERNAME, $UID, $GID, $NAME and $HOME in it");
  line.value("--group-entry", flags.group_entry, "Its group's, with $GROUPNAME, $GID and $USERLIST in it");
  line.list("--hostuser", flags.host_users, "Add this user of the host, by name or UID, to /etc/passwd");
  line.list("--ulimit", flags.limits, "NAME=SOFT[:HARD], for example nofile=1024");
  line.flag("--init,!--no-init", flags.init,
            "Run berth-init as PID 1 (default; --init=false: the process itself)");
  line.value("--stop-signal", flags.stop_signal, "The signal that asks the process to stop");
  line.value("--stop-timeout", flags.stop_timeout, "Seconds that a stop waits before SIGKILL (default 10)",
             {.shown = "SECONDS"});
  line.flag("--sig-proxy", flags.signal_proxy, "Pass signals on to the process (default)");
}

void add_file_flags(Flags& line, RunFlags& flags) {
  line.heading("Files");
  line.flag("--read-only", flags.read_only, "Make the root file system read-only");
  line.flag("--read-only-tmpfs", flags.read_only_tmpfs,
            "With --read-only, keep /run, /tmp, /var/tmp writable (default)");
  line.list("--tmpfs", flags.tmpfs, "TARGET[:OPTIONS], for example /tmp:size=64m");
  line.list("-v,--volume", flags.volumes, "SOURCE:TARGET[:ro,…]: a host path or a volume's name");
  line.list("--mount", flags.mounts, "type=bind|volume|tmpfs,source=…,target=…[,ro,…]");
  line.list("--device", flags.devices, "HOST[:CONTAINER][:rwm], a device node of the host's");
  line.value("--shm-size", flags.shm_size, "The size of /dev/shm, for example 64m (default)");
  line.list("--volumes-from", flags.volumes_from, "CONTAINER[:ro], whose volumes and directories it has too");
  line.value("--image-volume", flags.image_volumes,
             "What the image's VOLUME makes: anonymous (default), tmpfs or ignore",
             {.choices = {"anonymous", "bind", "tmpfs", "ignore"}});
}

void add_isolation_flags(Flags& line, RunFlags& flags) {
  line.heading("Isolation");
  line.value("--userns", flags.userns,
             "private (default: a bank of its own), host, keep-id, container:NAME, ns:PATH, auto");
  line.list("--uidmap", flags.uid_maps, "[CONTAINER]:[HOST][:SIZE], user IDs; serves for groups as well");
  line.list("--gidmap", flags.gid_maps, "The same for group IDs");
  line.list("--bank,--private-uids", flags.banks,
            "Use the bank NAME, 3 or 1-3, shared with whoever names it");
  line.flag("--allow-shared-ids", flags.allow_shared_ids,
            "Map host IDs that somebody else holds all the same");
  line.value("--project", flags.project, "Make it a container of this project, by whose policy it runs",
             {.shown = "NAME"});
  line.value("--pid", flags.pid, "private (default), container:NAME with whom it shares a bank, or host",
             {.shown = "MODE"});
  line.value("--ipc", flags.ipc, "The same for shared memory and message queues; none: without /dev/shm",
             {.shown = "MODE"});
  line.list("--cap-add", flags.capabilities_added, "Add a capability, or ALL");
  line.list("--cap-drop", flags.capabilities_dropped, "Drop a capability, or ALL");
  line.list("--security-opt", flags.security, "no-new-privileges, seccomp=FILE, seccomp=unconfined");
  line.flag("--privileged", flags.privileged,
            "All capabilities within the container's own IDs, no seccomp filter, nothing masked");
  line.list("--sysctl", flags.sysctls, "NAME=VALUE, of the container's own namespaces");
  line.flag("--translate", flags.translate,
            "Copy the image for the container's IDs, as where nothing can map them");
}

void add_container_flags(Flags& line, RunFlags& flags) {
  line.heading("The container");
  line.value("--name", flags.name, "The container's name");
  line.value("--hostname", flags.hostname, "Its hostname (default: the short ID)");
  line.flag("--rm", flags.remove, "Remove it when it ends");
  line.value("--restart", flags.restart,
             "Start it again: no (default), on-failure[:TIMES], always, unless-stopped");
  line.list("-l,--label", flags.labels, "KEY=VALUE");
  line.list("--annotation", flags.annotations, "KEY=VALUE");
  line.value("--cidfile", flags.cid_file, "Write the container's ID to this file");
  line.value("--pull", flags.pull, "missing (default), always, never or newer",
             {.choices = {"missing", "always", "never", "newer"}});
  line.value("--platform", flags.platform, "OS/ARCH[/VARIANT] of the image to pull");
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
  if (!flags.userns.empty()) TRY(idmap::parse_userns_mode(flags.userns));
  TRY(idmap::parse_map_requests(flags.uid_maps, flags.gid_maps));
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

// "keep-groups" stands alone, as podman has it: the kernel keeps all groups or takes a new list.
Result<> add_groups(const RunFlags& flags, engine::ContainerSpec& spec) {
  constexpr std::string_view kKeep = "keep-groups";
  spec.keep_groups = std::find(flags.groups.begin(), flags.groups.end(), kKeep) != flags.groups.end();
  if (!spec.keep_groups) {
    spec.additional_groups = flags.groups;
    return {};
  }
  for (const std::string& group : flags.groups) {
    if (group != kKeep)
      return fail(Code::usage, "--group-add {}: no group can be added to those of keep-groups", group);
  }
  return {};
}

Result<> add_account_entries(const RunFlags& flags, engine::ContainerSpec& spec) {
  const char* unused = !flags.passwd_entry.empty()  ? "--passwd-entry"
                       : !flags.group_entry.empty() ? "--group-entry"
                       : !flags.host_users.empty()  ? "--hostuser"
                                                    : nullptr;
  if (!flags.account_entries && unused != nullptr)
    return fail(Code::usage, "{} has no use with --passwd=false, which adds no entry", unused);
  if (!flags.passwd_entry.empty()) TRY(engine::check_passwd_template(flags.passwd_entry));
  if (!flags.group_entry.empty()) TRY(engine::check_group_template(flags.group_entry));
  spec.account_entries = flags.account_entries;
  spec.passwd_entry = flags.passwd_entry;
  spec.group_entry = flags.group_entry;
  for (const std::string& text : flags.host_users)
    TRY_CONTEXT(engine::add_host_user(text, spec.host_users), "--hostuser {}", text);
  return {};
}

Result<> add_mounts(const RunFlags& flags, engine::ContainerSpec& spec) {
  for (const std::string& text : flags.volumes) spec.mounts.push_back(TRY(parse_volume(text)));
  for (const std::string& text : flags.mounts) spec.mounts.push_back(TRY(parse_mount(text)));
  for (const std::string& text : flags.tmpfs) spec.mounts.push_back(TRY(parse_tmpfs(text)));
  spec.volumes_from = flags.volumes_from;
  // "bind" is podman's older word for it.
  if (flags.image_volumes == "tmpfs" || flags.image_volumes == "ignore")
    spec.image_volumes = flags.image_volumes;
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

void add_run_flags(Flags& line, RunFlags& flags) {
  line.leave_rest();  // what follows the image is the container's
  add_process_flags(line, flags);
  add_file_flags(line, flags);
  add_isolation_flags(line, flags);
  add_resource_flags(line, flags.resources);
  add_network_flags(line, flags.network);
  add_container_flags(line, flags);
  add_log_flags(line, flags.log);
  add_health_flags(line, flags.health);
}

Result<> take_image_and_command(const Flags& line, const Invocation& invocation, RunFlags& flags) {
  std::vector<std::string> rest = line.rest();
  if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
  if (rest.empty()) {
    Error error{Code::usage, 0, fmt::format("berth {} needs an image", invocation.name), {}};
    return std::unexpected(
        std::move(error).with_hint(fmt::format("`berth {} --help` shows how.", invocation.name)));
  }
  if (rest.front().starts_with('-')) return line.unknown_flag(rest.front());
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
  TRY(add_groups(flags, spec));
  TRY(add_account_entries(flags, spec));
  spec.interactive = flags.interactive;
  spec.terminal = flags.terminal;
  spec.read_only = flags.read_only;
  spec.read_only_tmpfs = flags.read_only_tmpfs;
  TRY(add_mounts(flags, spec));
  TRY(apply_network_flags(flags.network, spec));
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
  spec.restart = TRY(engine::parse_restart_policy(flags.restart));
  if (flags.remove && spec.restart.any())
    return fail(Code::usage,
                "--rm and --restart {}: a container that is removed when it ends can't start again",
                flags.restart);
  // A negative number is for ever, as podman and Docker have it.
  if (flags.stop_timeout)
    spec.restart.stop_timeout =
        *flags.stop_timeout < 0 ? UINT64_MAX : static_cast<uint64_t>(*flags.stop_timeout);
  spec.init = flags.init;
  spec.userns = flags.userns;
  spec.uid_maps = flags.uid_maps;
  spec.gid_maps = flags.gid_maps;
  spec.banks = flags.banks;
  spec.allow_shared_ids = flags.allow_shared_ids;
  if (flags.project) {
    // An empty variable of a script's must not mean a container without the project's limits.
    TRY_CONTEXT(ledger::check_project_name(*flags.project), "--project");
    spec.project = *flags.project;
  }
  spec.translate = flags.translate;
  spec.log = TRY(log_spec(flags.log));
  TRY(apply_resource_flags(flags.resources, spec.resources));
  spec.health = TRY(health_spec(flags.health));
  spec.spaces = {flags.pid, flags.ipc};
  TRY(engine::check_spaces(spec.spaces));
  return spec;
}

}  // namespace berth::cli
