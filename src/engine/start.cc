#include "engine/start.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/accounts.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "engine/caller_signals.h"
#include "engine/container/announce.h"
#include "engine/container/status.h"
#include "engine/devices.h"
#include "engine/files/root_layers.h"
#include "engine/finish.h"
#include "engine/health/begin_checks.h"
#include "engine/identity/container_identity.h"
#include "engine/identity/unmapped_users.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/kept_groups.h"
#include "engine/network/connect.h"
#include "engine/network/namespace_settings.h"
#include "engine/network/network_files.h"
#include "engine/network/start_networks.h"
#include "engine/plan_container.h"
#include "engine/process_rights.h"
#include "engine/volumes/prepare_mounts.h"
#include "safepath/root.h"
#include "sys/process.h"
#include "sys/sealed_program.h"

namespace berth::engine {

namespace {

ContainerFiles files_of(const store::Store& store, const std::string& id, const ContainerSpec& spec) {
  const std::string own = store.locations().root + "/" + container_directory(id);
  const auto state = [&](std::string_view owner) {
    return store.locations().run_root + "/" + container_directory(owner);
  };
  // Whose network it is, his names they are.
  const std::string_view other = network_container(spec.network);
  const std::string names = state(other.empty() ? std::string_view(id) : other);
  return {.upper = own + "/upper",
          .work = own + "/work",
          .hosts = spec.networking.no_hosts ? "" : names + "/hosts",
          .hostname = state(id) + "/hostname",
          .resolv_conf = names + "/resolv.conf"};
}

// A container that has run before may have a passwd of its own in its upper directory, which then counts.
std::optional<std::string> changed_passwd(const store::Store& store, const store::ContainerRecord& record,
                                          const ResolvedUser& user) {
  if (!store::has_ended(record)) return std::nullopt;
  const Result<safepath::Root> upper =
      safepath::Root::open(store.root(), container_directory(record.id) + "/upper");
  if (!upper) return std::nullopt;
  const Result<std::string> text = upper->read_file("etc/passwd", kMaxAccountFileBytes);
  if (text) return own_passwd_warning(*text, user);
  return std::nullopt;
}

// What the map means for the users that passwd names, and which groups of the caller's the process has.
Result<> warn_of_accounts(const AccountFiles& files, const ResolvedUser& user, const idmap::IdMap& uids,
                          const idmap::IdMap& gids, std::vector<std::string>& warnings) {
  if (auto outside = unmapped_users_warning(files.passwd.value_or(""), uids))
    warnings.push_back(std::move(*outside));
  if (user.keeps_groups) warnings.push_back(kept_groups_text(TRY(own_groups()), gids));
  return {};
}

// The /dev/shm of --ipc container:NAME.
Result<SharedMemory> shared_memory_for(const store::Store& store, const ContainerSpec& spec) {
  const std::string_view other = container_of_space(spec.spaces.ipc);
  if (other.empty()) return SharedMemory{};
  const std::optional<FirstProcess> first = first_process(store, other);
  if (!first) return fail(Code::conflict, "--ipc container:{}: that container does not run", other);
  return SharedMemory{first->pid, TRY(sys::start_time(first->pid))};
}

Result<runtime::ContainerPlan> make_plan(store::Store& store, const store::ContainerRecord& record,
                                         const store::ImageRecord& image, const StartOptions& options,
                                         const ContainerSpec& spec, const StartingNetworks& networks,
                                         std::vector<std::string>& warnings) {
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  const auto [uid_map, gid_map] = TRY(recorded_maps(record));
  const idmap::IdMap& uids = uid_map ? *uid_map : idmap::IdMap::whole();
  const idmap::IdMap& gids = gid_map ? *gid_map : idmap::IdMap::whole();
  const auto [accounts, user, identity] =
      TRY(identity_of(store, {spec, image, config, uids, gids, record.id}));
  if (const auto changed = changed_passwd(store, record, user)) warnings.push_back(*changed);
  for (const auto* found : {&user.warnings, &identity.warnings})
    warnings.insert(warnings.end(), found->begin(), found->end());
  const bool translated = spec.translate && uid_map;
  const TranslationRequest translation{image, record.image_name, uids,
                                       gids,  options.announce,  signal_pending};
  std::vector<std::string> layers = TRY(translated ? translated_layers(store, translation, identity.layer)
                                                   : stacked_layers(store, image, identity.layer));
  TRY(warn_of_accounts(accounts.files(), user, uids, gids, warnings));
  const sys::CapabilitySets capabilities = TRY(capabilities_of(spec, user, uid_map.has_value()));
  const NetworkFiles files{.spec = spec,
                           .hostname = spec.hostname.empty() ? record.id.substr(0, 12) : spec.hostname,
                           .name = record.name,
                           .networks = networks.networks(),
                           .name_server = networks.have_names()};
  TRY(write_network_files(store, record.id, files, uids, gids, warnings));
  const bool overrides = (capabilities.effective >> CAP_DAC_OVERRIDE & 1U) != 0;
  const std::vector<MountDecision> mounts =
      TRY(prepare_mounts(store, spec, {uid_map, gid_map, user, overrides}, warnings));
  TRY(write_mount_decisions(store, record.id, mounts));
  const PlanInputs inputs{.id = record.id,
                          .name = record.name,
                          .spec = spec,
                          .image = config,
                          .layers = std::move(layers),
                          .files = files_of(store, record.id, spec),
                          .transient = record.remove_on_exit && record.state == store::kRunning,
                          .translated = translated,
                          .uid_map = uid_map,
                          .gid_map = gid_map,
                          .user = user,
                          .mount_decisions = mounts,
                          .home = identity.home,
                          .capabilities = capabilities,
                          .seccomp = TRY(filter_of(store, spec, capabilities.bounding)),
                          .shared_memory = TRY(shared_memory_for(store, spec)),
                          .devices = TRY(resolve_devices(spec.devices))};
  return plan_container(inputs);
}

Result<monitor::Started> await_start(sys::Channel& channel) {
  const sys::Message message = TRY(channel.receive());
  if (message.data.empty()) return fail("berth-monitor ended before the container had started");
  const std::string_view payload = std::string_view(message.data).substr(1);
  const monitor::Kind kind = TRY(monitor::kind_of(message.data));
  if (kind == monitor::Kind::failed) {
    const auto failure = TRY(wire::decode<runtime::Failure>(payload));
    return std::unexpected(runtime::to_error(failure));
  }
  if (kind != monitor::Kind::started) return fail("berth-monitor said something out of turn");
  return wire::decode<monitor::Started>(payload);
}

// Signals that have had their effect are not to end this process too once they are let through again.
void take_signals(int signals) {
  signalfd_siginfo taken{};
  while (::read(signals, &taken, sizeof taken) > 0) continue;
}

// A signal that comes before the container can take it waits for it, but not for ever: somebody may want to
// get out of a start that hangs.
Result<> wait_or_interrupt(const MonitorProcess& process, int signals) {
  constexpr int kPatienceMs = 2000;
  std::array<pollfd, 2> wait{{{process.channel.fd(), POLLIN, 0}, {signals, POLLIN, 0}}};
  int timeout = -1;
  while (wait[0].revents == 0) {
    const int ready = ::poll(wait.data(), wait.size(), timeout);
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "wait for the container to start");
    if (ready == 0) {
      take_signals(signals);
      TRY(sys::send_signal(process.pidfd.get(), SIGKILL));
      return fail("interrupted, as it did not start");
    }
    if (ready > 0 && wait[1].revents != 0) {
      wait[1].fd = -1;
      timeout = kPatienceMs;
    }
  }
  return {};
}

// How it ended the last time is in the database; a record that is left here would be taken for this time's. A
// blank one has its place on the disk already when the disk is full.
Result<> make_room_for_exit(int directory) {
  const sys::UniqueFd file =
      TRY(sys::open_at(directory, monitor::kExitFile, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  return sys::write_all(file.get(), std::string(monitor::kExitBytes, ' '));
}

Result<Session> launch(store::Store& store, const LockedContainer& container, MonitorProcess process,
                       const store::ImageRecord& image, const runtime::ContainerPlan& plan,
                       const StartOptions& options) {
  const std::string path = container_directory(container.record.id);
  const sys::UniqueFd plan_file = TRY(sys::make_memory_file("berth-plan", wire::encode(plan)));
  const sys::UniqueFd directory = TRY(sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const sys::UniqueFd state = TRY(sys::open_at(store.run_root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (options.detached || !container.record.remove_on_exit) TRY(make_room_for_exit(directory.get()));
  const ContainerSpec spec = TRY(container_spec_from_json(container.record.spec));
  const monitor::StartRequest request{
      .interactive = options.interactive,
      .log = spec.log.options(),
      .health = TRY(begin_health_checks(store, container.record.id, spec, image)),
      .record_exit = options.detached || !container.record.remove_on_exit,
      .detached = options.detached,
      .starter_finishes = !options.detached && !spec.restart.any(),
      .scratch = store.locations().run_root + "/" + path,
      .finish = finish_command(store, container.record.id),
      .tell_oom = oom_command(store, container.record.id)};
  TRY(process.channel.send(monitor::pack_value(monitor::Kind::start, request),
                           {plan_file.get(), directory.get(), state.get(), container.lock.fd()}));
  fault::point("start-sent");
  const auto begin = [&]() -> Result<monitor::Started> {
    TRY(wait_or_interrupt(process, options.signals));
    return await_start(process.channel);
  };
  Result<monitor::Started> started = begin();
  if (!started) {
    // Its lock on the container goes with it.
    TRY(sys::wait_for(process.pidfd.get()));
    return std::unexpected(started.error());
  }
  return Session{std::move(process.channel), std::move(process.pidfd), *started, {}};
}

// A container that has ended before is recorded as running before it does, so that recover() looks after it
// whatever happens to this process.
Result<> record_restart(store::Store& store, const store::ContainerRecord& record) {
  if (!store::has_ended(record)) return {};
  return store::set_container_started(store.db(), record.id, now_nanoseconds());
}

// It has not run: its end is still that of the last time, and so is what was to follow.
Result<> take_restart_back(store::Store& store, const store::ContainerRecord& record) {
  if (!store::has_ended(record)) return {};
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  TRY(store::set_container_started(store.db(), record.id, record.started_at.value_or(0)));
  TRY(store::set_container_exited(store.db(), record.id, record.exit_status, record.finished_at.value_or(0),
                                  record.exit_reason));
  if (record.state == store::kRestarting)
    TRY(store::set_container_restarting(store.db(), record.id, record.restart_count, record.restart_delay));
  return transaction.commit();
}

}  // namespace

Result<Session> start_container(store::Store& store, const LockedContainer& container, MonitorProcess process,
                                const store::ImageRecord& image, const StartOptions& options) {
  std::vector<std::string> warnings;
  const auto start = [&]() -> Result<Session> {
    const ContainerSpec spec = TRY(container_spec_from_json(container.record.spec));
    StartingNetworks networks = TRY(StartingNetworks::take(store, container.record, spec, warnings));
    TRY(connect_networks(store, process.channel,
                         network_plan(store, container.record.id, spec, networks.networks()), warnings));
    Result<runtime::ContainerPlan> planned =
        make_plan(store, container.record, image, options, spec, networks, warnings);
    if (!planned && signal_pending()) take_signals(options.signals);
    runtime::ContainerPlan plan = TRY(std::move(planned));
    plan.process.rows = options.rows;
    plan.process.columns = options.columns;
    plan.namespaces = process.namespaces;
    add_namespace_settings(plan);
    fault::point("planned");
    TRY(record_restart(store, container.record));
    fault::point("restart-recorded");
    Result<Session> session = launch(store, container, std::move(process), image, plan, options);
    if (!session) {
      TRY(take_restart_back(store, container.record));
    } else {
      networks.keep();
    }
    return session;
  };
  Session session = TRY_CONTEXT(start(), "cannot start \"{}\"", container.record.name);
  announce(store, container.record, events::kStart);
  session.warnings = std::move(warnings);
  fault::point("started");
  return session;
}

}  // namespace berth::engine
