#include "engine/exec.h"

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/identity/container_identity.h"
#include "engine/identity/running_accounts.h"
#include "engine/ids/kept_groups.h"
#include "engine/ids/project_rules.h"
#include "engine/plan_container.h"
#include "engine/process_rights.h"
#include "runtime/adjust_process.h"
#include "store/images.h"
#include "sys/companion.h"
#include "sys/file.h"
#include "sys/pipe.h"
#include "sys/sealed_program.h"

namespace berth::engine {

namespace {

std::unexpected<Error> not_running(std::string_view name) {
  Error error{Code::conflict, 0, fmt::format("container \"{}\" is not running", name), {}};
  return std::unexpected(std::move(error).with_hint(fmt::format("`berth start {}` starts it.", name)));
}

// The container's settings with what was asked for in their place: the process is planned as the container's
// own is.
ContainerSpec settings_for(const ContainerSpec& container, const ExecWish& wish) {
  ContainerSpec spec = container;
  spec.entrypoint = std::vector<std::string>();
  spec.command = wish.command;
  if (wish.user) spec.user = *wish.user;
  if (!wish.working_directory.empty()) spec.working_directory = wish.working_directory;
  spec.environment.insert(spec.environment.end(), wish.environment.begin(), wish.environment.end());
  spec.terminal = wish.terminal;
  return spec;
}

// A project settles the user and forbids rights, whoever asks for them. The one exception is what it has
// settled itself, when the container was made.
Result<> apply_policy(store::Database& db, const ExecCaller& caller, const ExecWish& wish,
                      std::string_view image_user, const AccountFiles& files, ContainerSpec& spec) {
  TRY(take_kept_groups(spec, caller.config, caller.caller));
  if (spec.project.empty()) return {};
  const ProjectRules rules = TRY(project_rules(db, caller.config, spec.project, caller.caller.name));
  spec.privileged = spec.privileged || wish.privileged;
  return apply_rules(rules, image_user, files, spec);
}

// As podman has it: capabilities that were added for the container's own user are not another one's.
Result<sys::CapabilitySets> capabilities_for(const ContainerSpec& spec, const ExecWish& wish,
                                             const ResolvedUser& user, bool other_user, bool own_ids) {
  ContainerSpec asked = spec;
  asked.privileged = spec.privileged || wish.privileged;
  sys::CapabilitySets sets = TRY(capabilities_of(asked, user, own_ids));
  if (other_user && user.uid.value() != 0) sets = {.bounding = sets.bounding};
  return sets;
}

void announce(const PreparedExec& prepared, std::string_view action, events::Attribute attribute) {
  if (!prepared.events) return;
  events::Event event = prepared.event;
  event.action = action;
  if (!attribute.key.empty()) event.attributes.push_back(std::move(attribute));
  events::record(prepared.events.get(), event);
}

Result<runtime::Entrance> open_entrance(const FirstProcess& first, std::string_view name) {
  std::optional<runtime::Entrance> entrance = TRY(runtime::open_entrance(first.pid, first.pidfd));
  if (!entrance) return not_running(name);
  return std::move(*entrance);
}

// Those that PID 1 is in now.
Result<std::optional<cgroup::Cgroup>> open_cgroup(const FirstProcess& first, std::string_view name) {
  Result<std::optional<cgroup::Cgroup>> cgroup = cgroup::Cgroup::of_process(first.pid);
  if (runtime::has_ended(first.pidfd)) return not_running(name);
  if (!cgroup || !*cgroup) return cgroup;
  const Result<bool> frozen = (*cgroup)->frozen();
  if (!frozen || !*frozen) return cgroup;
  Error error{Code::conflict, 0, fmt::format("container \"{}\" is paused", name), {}};
  return std::unexpected(std::move(error).with_hint(fmt::format("`berth unpause {}` lets it go on.", name)));
}

// "" where it can't be told. Whose number the PID is by now is asked later.
std::string oom_score_of(pid_t pid) {
  constexpr size_t kLongest = 32;
  return sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/oom_score_adj", pid), kLongest)
      .value_or(std::string());
}

// The process is to be chosen as its container's own would be (proc_pid_oom_score_adj(5)). Lowering it takes
// CAP_SYS_RESOURCE, which the caller may not have: then it is what the caller's own is.
void take_oom_score(pid_t pid, const std::string& score) {
  if (score.empty() || score == oom_score_of(pid)) return;
  const std::string path = fmt::format("/proc/{}/oom_score_adj", pid);
  if (const Result<> set = sys::write_control_file(AT_FDCWD, path, score); !set)
    log::info("the command does not have its container's oom_score_adj: {}", set.error().message);
}

Result<> plan_exec(store::Store& store, const store::ContainerRecord& record, const ExecWish& wish,
                   const ExecCaller* caller, PreparedExec& prepared) {
  const ContainerSpec container = TRY(container_spec_from_json(record.spec));
  const store::ImageRecord image = TRY(store::find_image(store, record.image_id));
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  const auto [uid_map, gid_map] = TRY(recorded_maps(record));
  const idmap::IdMap& uids = uid_map ? *uid_map : idmap::IdMap::whole();
  const idmap::IdMap& gids = gid_map ? *gid_map : idmap::IdMap::whole();
  const safepath::Root& root = prepared.entrance.root;
  const RunningAccounts accounts = accounts_in(root);
  ContainerSpec spec = settings_for(container, wish);
  if (caller != nullptr) TRY(apply_policy(store.db(), *caller, wish, config.user, accounts.files(), spec));
  const bool own_choice = !spec.user.empty();
  const UserRequest request{.spec = own_choice ? std::string_view(spec.user) : config.user,
                            .spec_origin = own_choice ? "--user" : "the image's USER",
                            .additional_groups = spec.additional_groups,
                            .keeps_groups = spec.keep_groups,
                            .files_of = "container"};
  const ResolvedUser user = TRY(resolve_user(request, accounts.files(), uids, gids));
  const bool other_user = wish.user && *wish.user != container.user;
  const sys::CapabilitySets own =
      TRY(capabilities_for(spec, ExecWish{}, user, other_user, uid_map.has_value()));
  const PlanInputs inputs{
      .id = record.id,
      .name = record.name,
      .spec = spec,
      .image = config,
      .files = {},
      .user = user,
      .home = home_in(root, user, working_directory_of(spec, config), uids, gids),
      .capabilities = TRY(capabilities_for(spec, wish, user, other_user, uid_map.has_value())),
      // The container's: a process with more capabilities is under it, too.
      .seccomp = TRY(filter_of(store, container, own.bounding)),
      .devices = {}};
  runtime::ExecPlan& plan = prepared.plan;
  plan.process = TRY(engine::plan_process(inputs));
  plan.process.rows = wish.rows;
  plan.process.columns = wish.columns;
  plan.keeps_orphans = wish.keeps_orphans;
  plan.last_born = runtime::can_be_traced(prepared.entrance, plan.process, own.bounding);
  if (uid_map) prepared.uid_map = runtime::extents_of(uid_map->extents());
  prepared.warnings = user.warnings;
  return {};
}

}  // namespace

Result<PreparedExec> prepare_exec(store::Store& store, const store::ContainerRecord& record,
                                  const ExecWish& wish, const ExecCaller* caller) {
  std::optional<FirstProcess> first = first_process(store, record.id);
  if (!first) return not_running(record.name);
  runtime::Entrance entrance = TRY(open_entrance(*first, record.name));
  std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(*first, record.name));
  PreparedExec prepared{.name = record.name,
                        .first = std::move(*first),
                        .entrance = std::move(entrance),
                        .cgroup = std::move(cgroup),
                        .plan = {},
                        .uid_map = {},
                        .init_program = {},
                        .oom_score = {},
                        .preserved = wish.preserved,
                        .warnings = {},
                        .event = {},
                        .events = {}};
  TRY(plan_exec(store, record, wish, caller, prepared));
  prepared.oom_score = oom_score_of(prepared.first.pid);
  const std::string init = TRY(sys::companion_path("berth-init"));
  prepared.init_program = TRY(sys::open_sealed_program(init));
  if (caller == nullptr) return prepared;
  prepared.event = event_of(record, {});
  prepared.events.reset(::fcntl(store.root(), F_DUPFD_CLOEXEC, 0));
  return prepared;
}

Result<runtime::RunningContainer> start_exec(const PreparedExec& prepared, const runtime::Streams& streams) {
  std::vector<sys::UniqueFd> entrances;
  if (prepared.cgroup) entrances = TRY(prepared.cgroup->entrances(true));
  const runtime::ProcessPlan& process = prepared.plan.process;
  const auto adjust = [&](pid_t pid) {
    const auto or_own = [](const sys::UniqueFd& fd, int own) { return fd ? fd.get() : own; };
    const std::array<int, 3> given{or_own(streams.input, STDIN_FILENO), or_own(streams.output, STDOUT_FILENO),
                                   or_own(streams.error, STDERR_FILENO)};
    runtime::give_streams(process, prepared.uid_map, given);
    take_oom_score(pid, prepared.oom_score);
    return runtime::raise_limits(pid, process);
  };
  Result<runtime::RunningContainer> started =
      runtime::start_process(prepared.plan, {.joined = prepared.entrance.namespaces,
                                             .cgroup = prepared.cgroup ? prepared.cgroup->clone_fd() : -1,
                                             .cgroup_entrances = entrances,
                                             .preserved = prepared.preserved,
                                             .streams = &streams,
                                             .init_program = prepared.init_program.get(),
                                             .adjust = adjust,
                                             .take_listener = {}});
  // It can have ended meanwhile, and all of its processes with it.
  if (!started && runtime::has_ended(prepared.first.pidfd)) return not_running(prepared.name);
  if (started) announce(prepared, events::kExec, {});
  return started;
}

void announce_exec_end(const PreparedExec& prepared, int status) {
  announce(prepared, events::kExecDied, {std::string(events::kExitCode), std::to_string(status)});
}

Result<ExecStreams> make_exec_streams(bool input, bool detached) {
  ExecStreams streams;
  const auto null = []() { return sys::open_at(AT_FDCWD, "/dev/null", O_RDWR | O_NOCTTY); };
  if (!input || detached) {
    streams.inside.input = TRY(null());
  } else if (::isatty(STDIN_FILENO) != 0) {
    auto [reading, writing] = TRY(sys::make_pipe());
    streams.inside.input = std::move(reading);
    streams.outside.input = std::move(writing);
  }
  const auto output = [&](int own, sys::UniqueFd& inside, sys::UniqueFd& outside) -> Result<> {
    if (detached) inside = TRY(null());
    if (detached || ::isatty(own) == 0) return {};
    auto [reading, writing] = TRY(sys::make_pipe());
    outside = std::move(reading);
    inside = std::move(writing);
    return {};
  };
  TRY(output(STDOUT_FILENO, streams.inside.output, streams.outside.output));
  TRY(output(STDERR_FILENO, streams.inside.error, streams.outside.error));
  return streams;
}

}  // namespace berth::engine
