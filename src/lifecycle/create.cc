#include "lifecycle/create.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "cgroup/devices.h"
#include "lifecycle/adjust_process.h"
#include "lifecycle/console_socket.h"
#include "lifecycle/document.h"
#include "lifecycle/home.h"
#include "lifecycle/limits.h"
#include "lifecycle/namespaces.h"
#include "lifecycle/own_capabilities.h"
#include "lifecycle/plan.h"
#include "lifecycle/remove.h"
#include "lifecycle/seccomp_agent.h"
#include "lifecycle/send_descriptor.h"
#include "lifecycle/systemd_cgroup.h"
#include "lifecycle/traces.h"
#include "runtime/adjust_process.h"
#include "runtime/await_start.h"
#include "runtime/hooks.h"
#include "safepath/root.h"
#include "scope/scope.h"
#include "seccomp/filter.h"
#include "sys/process.h"
#include "sys/sealed_program.h"

namespace berth::lifecycle {

namespace {

// A path of the caller's as one that does not depend on where this process is.
Result<std::string> absolute_path(const std::string& path) {
  std::array<char, PATH_MAX> resolved{};
  if (::realpath(path.c_str(), resolved.data()) == nullptr) return fail_errno(errno, "open {}", path);
  return std::string(resolved.data());
}

// What would otherwise be left out without a word.
Result<> refuse_unsupported(const bundle::Linux& wanted) {
  if (wanted.intel_rdt) return fail(Code::refused, "config.json: linux.intelRdt: Intel RDT is not supported");
  if (!wanted.mount_label.empty() && !sys::exists_at(AT_FDCWD, "/sys/fs/selinux/enforce"))
    return fail(Code::refused, "config.json: linux.mountLabel: SELinux is not in use on this host");
  return {};
}

uint32_t current_umask() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

Result<seccomp::Filter> filter_for(const Root& root, const bundle::Config& config) {
  const std::optional<bundle::Seccomp>& wanted = config.linux_part.seccomp;
  if (!wanted) return seccomp::Filter{};
  const uint64_t bounding =
      config.process && config.process->capabilities ? config.process->capabilities->bounding : 0;
  const seccomp::FilterCache cache{root.fd(), kFilterCache, root.path() + "/" + kFilterCache};
  return TRY_CONTEXT(seccomp::filter_for(cache, wanted->profile, bounding, wanted->notifies),
                     "config.json: linux.seccomp");
}

std::vector<Pair> pairs(const std::map<std::string, std::string>& from) {
  std::vector<Pair> result;
  for (const auto& [key, value] : from) result.push_back({key, value});
  return result;
}

class Creation {
 public:
  Creation(const Root& root, const CreateOptions& options, bool keeps_terminal)
      : root_(root), options_(options), keeps_terminal_(keeps_terminal) {}

  // What can be known to fail does here, before anything is made.
  Result<> plan() {
    record_.id = options_.id;
    record_.bundle = TRY(absolute_path(options_.bundle));
    config_ = TRY(read_config(options_.config.empty() ? record_.bundle + "/config.json" : options_.config));
    if (!options_.pivot)
      return fail(Code::usage,
                  "--no-pivot is for a root file system that can't be pivoted into, and is not supported");
    TRY(refuse_unsupported(config_.linux_part));
    if (config_.root.path.empty()) return fail(Code::refused, "config.json: root.path is needed");
    record_.rootfs = absolute(record_.bundle, config_.root.path);
    hierarchies_ = TRY(cgroup::hierarchies_of_this_process());
    cgroup_path_ = TRY(cgroup_path());
    spaces_ = TRY(namespaces_of(config_));
    const seccomp::Filter filter = TRY(filter_for(root_, config_));
    plan_ = TRY(plan_container(config_, {.id = options_.id,
                                         .bundle = record_.bundle,
                                         .namespaces = spaces_.namespaces.plan,
                                         .uid_map = spaces_.uid_map,
                                         .gid_map = spaces_.gid_map,
                                         .umask = current_umask(),
                                         .seccomp_filter = filter.program,
                                         .seccomp_flags = filter.flags,
                                         .own_keyring = options_.new_keyring,
                                         .hierarchies = hierarchies_}));
    if (plan_.namespaces.user == runtime::NamespaceUse::host)
      leave_out_unavailable(plan_.process.capabilities, "config.json: process.capabilities");
    if (plan_.process.terminal == options_.console_socket.empty() && !keeps_terminal_)
      return fail(Code::usage, "{}",
                  plan_.process.terminal ? "process.terminal needs --console-socket"
                                         : "--console-socket needs process.terminal");
    return {};
  }

  Result<Created> make() {
    TRY(plan());
    directory_ = TRY(make_directory(root_, options_.id));
    Result<runtime::RunningContainer> running = make_all();
    if (!running) {
      undo();
      return std::unexpected(running.error());
    }
    return Created{std::move(directory_), std::move(record_), std::move(*running)};
  }

  Result<cgroup::CgroupsPath> cgroup_path() {
    const std::string& wanted = config_.linux_part.cgroups_path;
    if (!options_.systemd_cgroup)
      return cgroup::parse_cgroups_path(wanted.empty() ? "/berth/" + options_.id : wanted);
    scope_ = TRY(scope_path(wanted, options_.id));
    return scope_->path();
  }

  Result<runtime::RunningContainer> make_all() {
    fill_record();
    // Not in the record: a process of another user has another one.
    const Result<safepath::Root> rootfs = safepath::Root::open(AT_FDCWD, record_.rootfs);
    if (rootfs) add_home(plan_.process.environment, *rootfs, plan_.process.uid);
    TRY(write_traces(directory_, record_));
    TRY(write_record(directory_, record_));
    fault::point("container-directory-made");
    if (!scope_) TRY(make_cgroup());
    host_mounts_ = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
    start_socket_ = TRY(runtime::make_start_socket(directory_.fd.get(), kStartSocket));
    if (cgroup_) spaces_.namespaces.cgroup = cgroup_->clone_fd();
    runtime::PreparedContainer prepared =
        TRY(runtime::PreparedContainer::prepare(spaces_.namespaces, {}, options_.preserved));
    fault::point("process-waiting");
    record_.pid = prepared.pid();
    record_.pid_start = TRY(sys::start_time(record_.pid));
    TRY(write_traces(directory_, record_));
    TRY(write_record(directory_, record_));
    fault::point("process-recorded");
    if (scope_) TRY(make_cgroup());
    TRY(adjust_process());
    runtime::RunningContainer running = TRY(start(prepared));
    if (!options_.console_socket.empty()) TRY(send_terminal(options_.console_socket, running.terminal));
    if (!options_.pid_file.empty()) TRY(write_pid_file(options_.pid_file, record_.pid));
    record_.created = true;
    TRY(write_record(directory_, record_));
    fault::point("created");
    return running;
  }

  void fill_record() {
    record_.created_at = now_nanoseconds();
    record_.own_pid_space = plan_.namespaces.pid == runtime::NamespaceUse::own;
    record_.cgroup_path = cgroup_path_.text();
    if (scope_) record_.unit = scope_->unit;
    record_.command = plan_.process.argv.front();
    record_.annotations = pairs(config_.annotations);
    record_.poststart = plan_hooks(config_.hooks.poststart);
    record_.poststop = plan_hooks(config_.hooks.poststop);
    record_.process = plan_.process;
    record_.oom_score_adj = config_.process->oom_score_adj;
    if (const std::optional<bundle::Seccomp>& seccomp = config_.linux_part.seccomp) {
      record_.seccomp_agent = seccomp->listener_path;
      record_.seccomp_metadata = seccomp->listener_metadata;
    }
    if (config_.process->exec_cpu_affinity)
      record_.exec_affinity = plan_affinity(*config_.process->exec_cpu_affinity);
    record_.uid_map = spaces_.uid_map;
    record_.gid_map = spaces_.gid_map;
  }

  Result<> make_cgroup() {
    const bundle::Resources none;
    const std::optional<bundle::Resources>& given = config_.linux_part.resources;
    const bundle::Resources& resources = given ? *given : none;
    TRY_CONTEXT(make_cgroup(limits_of(resources), cgroup::rules_of_container(device_rules_of(resources))),
                "make the container's cgroup");
    TRY(write_record(directory_, record_));
    fault::point("cgroup-recorded");
    return {};
  }

  // The rules hold also where there are none of its own: then it has the default devices and no others.
  Result<> make_cgroup(const cgroup::Limits& limits, const std::vector<cgroup::DeviceRule>& rules) {
    cgroup::CreateOptions wanted{.required = cgroup::controllers_for(limits), .adopted = scope_.has_value()};
    std::optional<systemd::Manager> systemd;
    if (scope_) {
      systemd = TRY(connect_to_systemd());
      const std::string description = fmt::format("container {}", options_.id);
      TRY(scope::start(
          *systemd, {{.description = description, .path = *scope_, .process = record_.pid, .rules = rules}}));
      fault::point("scope-started");
    }
    cgroup_ = TRY(cgroup::Cgroup::create(hierarchies_, cgroup_path_, wanted));
    fault::point("cgroup-made");
    record_.cgroup = cgroup::record_text(cgroup_->record());
    TRY(systemd ? scope::apply_limits(*systemd, scope_->unit, *cgroup_, limits)
                : cgroup::apply_limits(*cgroup_, limits));
    return cgroup::apply_devices(*cgroup_, rules);
  }

  [[nodiscard]] Result<> adjust_process() const {
    runtime::give_streams(plan_.process, plan_.uid_map);
    TRY(runtime::raise_limits(record_.pid, plan_.process));
    return set_oom_score(record_.pid, config_.process->oom_score_adj);
  }

  Result<runtime::RunningContainer> start(runtime::PreparedContainer& prepared) {
    const sys::UniqueFd plan_file = TRY(sys::make_memory_file("plan", wire::encode(plan_)));
    const bool in_v2_already = !scope_ && cgroup_->clone_fd() >= 0;
    std::vector<sys::UniqueFd> entrances = TRY(cgroup_->entrances(in_v2_already));
    runtime::StartRequest request{.plan_file = plan_file.get(), .scratch = root_.path() + "/" + options_.id};
    for (const sys::UniqueFd& entrance : entrances) request.cgroup_entrances.push_back(entrance.get());
    request.before_pivot = [&] { return run_hooks_on_host(); };
    if (!config_.hooks.create_container.empty())
      request.change_mounts = [&](int mounts) { return run_hooks_inside(mounts); };
    request.start_socket = start_socket_.get();
    request.take_listener = [&](const sys::UniqueFd& listener) {
      return tell_agent(record_, bundle::Status::creating, record_.pid, listener);
    };
    return prepared.start(plan_, request);
  }

  // config.md: prestart and createRuntime in the runtime's namespaces, createContainer in the container's,
  // with the host's file systems still in sight.
  Result<> run_hooks_on_host() {
    const bundle::Hooks& hooks = config_.hooks;
    if (hooks.prestart.empty() && hooks.create_runtime.empty()) return {};
    hooks_have_run_ = true;
    const std::string state = TRY(state_text(record_, bundle::Status::creating));
    const runtime::HookPlace on_host{.mounts = host_mounts_.get()};
    TRY(runtime::run_hooks("prestart", plan_hooks(hooks.prestart), state, on_host));
    return runtime::run_hooks("createRuntime", plan_hooks(hooks.create_runtime), state, on_host);
  }

  Result<> run_hooks_inside(int mounts) {
    hooks_have_run_ = true;
    constexpr uint64_t kAllButMounts = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                                       CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;
    const std::vector<sys::JoinedNamespace> joined = TRY(sys::namespaces_apart(record_.pid, kAllButMounts));
    const std::string state = TRY(state_text_inside(record_, bundle::Status::creating));
    return runtime::run_hooks("createContainer", plan_hooks(config_.hooks.create_container), state,
                              {.mounts = mounts, .joined = joined});
  }

  void undo() {
    // This process may be in the private mount namespace still; hooks are the host's.
    if (host_mounts_.valid() && ::setns(host_mounts_.get(), CLONE_NEWNS) != 0)
      log::warn("leave the private mount namespace: {}", describe_errno(errno));
    const Result<> removed =
        hooks_have_run_ ? destroy(root_, directory_, record_) : remove_all(root_, directory_, record_);
    if (!removed) log::warn("{}", removed.error().message);
  }

  const Root& root_;
  const CreateOptions& options_;
  const bool keeps_terminal_;
  bool hooks_have_run_ = false;
  bundle::Config config_;
  Record record_;
  cgroup::Hierarchies hierarchies_;
  cgroup::CgroupsPath cgroup_path_;
  std::optional<cgroup::SystemdPath> scope_;  // --systemd-cgroup
  NamespaceSet spaces_;
  runtime::ContainerPlan plan_;
  Directory directory_;
  std::optional<cgroup::Cgroup> cgroup_;
  sys::UniqueFd host_mounts_;
  sys::UniqueFd start_socket_;
};

}  // namespace

Result<Created> create(const Root& root, const CreateOptions& options, bool keeps_terminal) {
  TRY(check_id(options.id));
  return Creation(root, options, keeps_terminal).make();
}

}  // namespace berth::lifecycle
