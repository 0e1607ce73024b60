#include "monitor/monitor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "monitor/clients.h"
#include "monitor/control_socket.h"
#include "monitor/finish.h"
#include "monitor/health_timer.h"
#include "monitor/network.h"
#include "monitor/oom_teller.h"
#include "monitor/prepare.h"
#include "monitor/protocol.h"
#include "monitor/relay.h"
#include "monitor/streams.h"
#include "runtime/container.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::monitor {

namespace {

struct Task {
  StartRequest request;
  runtime::ContainerPlan plan;
  sys::UniqueFd plan_file;
  sys::UniqueFd container;  // its directory in the store
  sys::UniqueFd state;      // its directory below the run root
  sys::UniqueFd lock;       // held for as long as the monitor lives
};

Result<ContainerNetwork> connect(std::string_view payload, const Result<Prepared>& prepared) {
  net::NetworkPlan plan = TRY(wire::decode<net::NetworkPlan>(payload));
  if (!prepared) return std::unexpected(prepared.error());
  return ContainerNetwork::connect(std::move(plan), prepared->container.pid());
}

// Nothing if the client went away without one: it had no use for this monitor after all. Before it there may
// be the networks to connect, while the client still plans.
Result<std::optional<Task>> receive_task(sys::Channel& client, const Result<Prepared>& prepared,
                                         Result<ContainerNetwork>& network) {
  sys::Message message = TRY(client.receive(kStartDescriptors));
  if (!message.data.empty() && TRY(kind_of(message.data)) == Kind::network) {
    network = connect(std::string_view(message.data).substr(1), prepared);
    message = TRY(client.receive(kStartDescriptors));
  }
  if (message.data.empty()) return std::nullopt;
  if (TRY(kind_of(message.data)) != Kind::start || message.fds.size() != kStartDescriptors) {
    return fail("{}", kNotByHand);
  }
  Task task;
  task.request = TRY(wire::decode<StartRequest>(std::string_view(message.data).substr(1)));
  task.plan_file = std::move(message.fds[0]);
  const std::string plan = TRY(sys::read_all(task.plan_file.get(), runtime::kLargestPlan));
  task.plan = TRY(wire::decode<runtime::ContainerPlan>(plan));
  task.container = std::move(message.fds[1]);
  task.state = std::move(message.fds[2]);
  task.lock = std::move(message.fds[3]);
  return task;
}

Result<> record_state(const Task& task, pid_t pid, int64_t started_at) {
  const std::string text =
      fmt::format(R"({{"monitor_pid":{},"monitor_start":{},"pid":{},"pid_start":{},"started_at":{}}})",
                  ::getpid(), TRY(sys::start_time(::getpid())), pid, TRY(sys::start_time(pid)), started_at);
  return sys::replace_file_at(task.state.get(), kStateFile, text, 0600, sys::Durability::none);
}

// Into the blank record that the engine has left: its place on the disk is there.
Result<> write_exit(const Task& task, std::string text) {
  text.resize(std::max(text.size(), kExitBytes), ' ');
  const sys::UniqueFd file =
      TRY(sys::open_at(task.container.get(), kExitFile, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  TRY(sys::write_all(file.get(), text));
  const sys::UniqueFd directory = TRY(sys::open_at(task.container.get(), ".", O_RDONLY | O_DIRECTORY));
  if (::fsync(file.get()) != 0 || ::fsync(directory.get()) != 0)
    return fail_errno(errno, "sync {}", kExitFile);
  return {};
}

void record_exit(const Task& task, const Exited& exited) {
  if (!task.request.record_exit) return;
  const Result<> recorded =
      write_exit(task, fmt::format(R"({{"status":{},"finished_at":{},"oom_killed":{},"oom_told":{}}})",
                                   exited.status, exited.finished_at, exited.oom_killed, exited.oom_told));
  // The clients still hear how it ended.
  if (!recorded) log::warn("cannot record how the container ended: {}", recorded.error().message);
}

// Nobody is going to read it, and the client has other things to do. It removes what is left here.
void remove_own_layer(const Task& task) {
  for (const std::string& path : {task.plan.rootfs.upper, task.plan.rootfs.work}) {
    const Result<> removed = sys::remove_tree_at(task.container.get(), path.substr(path.rfind('/') + 1));
    if (!removed) log::debug("remove {}: {}", path, removed.error().message);
  }
}

// Gives how it ended. Then it is on record in the container's directory, and all its output in the log.
Result<Exited> run_container(sys::Channel& starter, Clients& clients, Prepared& prepared, const Task& task,
                             const ContainerNetwork& network) {
  fault::point("task-received");
  const bool terminal = task.plan.process.terminal;
  StreamEnds ends;
  if (!terminal) ends = TRY(make_streams(task.plan, task.request.interactive));
  runtime::RunningContainer container = TRY(start(
      prepared, task.plan,
      {.plan_file = task.plan_file.get(), .streams = std::move(ends.inside), .scratch = task.request.scratch},
      task.state.get()));
  const Started started{container.pid, now_nanoseconds()};
  fault::point("container-started");
  TRY(record_state(task, container.pid, started.started_at));
  fault::point("state-recorded");
  sys::UniqueFd listener = TRY(listen_for_clients(task.state.get()));
  // A client that is gone already does not matter.
  [[maybe_unused]] const Result<> told = starter.send(pack_value(Kind::started, started));
  if (task.request.detached) {
    // Nothing of the caller's is held any longer, not even for diagnostics.
    ::dup2(STDIN_FILENO, STDERR_FILENO);
  } else {
    clients.add(std::move(starter), true);
  }
  network.lead_senders_here();
  LogFile log(task.container.get(), task.request.log);
  HealthTimer health(task.request.health);
  OomTeller memory(prepared.cgroup.watch_memory(), task.request.tell_oom);
  Relay relay(clients, std::move(listener), log, health, memory);
  const siginfo_t ended = TRY(relay.run(container, std::move(ends.outside)));
  fault::point("container-ended");
  const int64_t ended_at = now_nanoseconds();
  const bool all_told = memory.finish();
  const bool oom_killed = prepared.cgroup.out_of_memory().value_or(memory.has_happened());
  const Exited exited{sys::shell_status(ended), ended_at, oom_killed, all_told};
  // Before the rest of its output is carried, which a client that does not read holds up.
  record_exit(task, exited);
  relay.drain();
  log.finish();
  fault::point("exit-recorded");
  return exited;
}

// The one that started it detached may still be recording the start.
void wait_for_starter(sys::Channel& starter) {
  while (starter.open()) {
    const Result<sys::Message> message = starter.receive();
    if (!message || message->data.empty()) starter.close();
  }
}

// What the container had is free for others once its end is told.
void disconnect(ContainerNetwork& network, const Task& task) {
  constexpr size_t kLargestRecord = size_t{1} << 20;
  const bool recorded = sys::exists_at(task.state.get(), kNetworkFile);
  const Result<sys::FileLock> alone =
      recorded ? sys::FileLock::exclusive(task.state.get(), kNetworkLock) : sys::FileLock();
  if (!alone) log::debug("lock the container's networks: {}", alone.error().message);
  if (const auto record = sys::read_file_at(task.state.get(), kNetworkFile, kLargestRecord)) {
    Result<net::NetworkPlan> plan = wire::decode<net::NetworkPlan>(*record);
    if (plan && net::check(*plan)) network.take_over(std::move(*plan));
  }
  network.unpublish();
  if (sys::exists_at(task.state.get(), kSharedNetworkFile)) network.detach();
  if (::unlinkat(task.state.get(), kNetworkFile, 0) != 0 && errno != ENOENT)
    log::debug("remove {}: {}", kNetworkFile, describe_errno(errno));
}

// All have to know. The one whose foreground job it was finishes it, else the monitor does.
void end(sys::Channel& starter, Clients& clients, const Task& task, const Exited& exited,
         ContainerCgroup& cgroup, ContainerNetwork& network) {
  disconnect(network, task);
  for (Client& client : clients.all()) {
    if (!client.starter) Clients::send(client, pack_value(Kind::exited, exited));
  }
  bool starter_hears = false;
  for (Client& client : clients.all()) {
    if (client.starter) starter_hears = client.channel.send(pack_value(Kind::exited, exited)).has_value();
  }
  clients.all().clear();
  network.forget_senders();
  cgroup.end();
  wait_for_starter(starter);
  if (!starter_hears || !task.request.starter_finishes) execute_finish(task.request.finish, task.lock.get());
  if (task.plan.rootfs.transient) remove_own_layer(task);
}

}  // namespace

int serve(sys::Channel client) {
  // A session of its own: the terminal's signals are the client's to forward.
  ::setsid();
  if (::chdir("/") != 0) log::debug("chdir /: {}", describe_errno(errno));
  ::signal(SIGPIPE, SIG_IGN);
  // A log that may not grow (RLIMIT_FSIZE) is as one on a full disk.
  ::signal(SIGXFSZ, SIG_IGN);
  Result<Prepared> prepared = prepare(client);
  Result<ContainerNetwork> network;
  Result<std::optional<Task>> task = receive_task(client, prepared, network);
  if (task && !*task) return 0;
  Clients clients;
  const auto run = [&]() -> Result<Exited> {
    if (!task) return std::unexpected(task.error());
    if (!network) return std::unexpected(network.error());
    if (!prepared) return std::unexpected(prepared.error());
    return run_container(client, clients, *prepared, **task, *network);
  };
  const Result<Exited> exited = run();
  if (exited) {
    end(client, clients, **task, *exited, prepared->cgroup, *network);
    return 0;
  }
  if (network && task) disconnect(*network, **task);
  const std::string failed = pack_value(Kind::failed, runtime::to_failure(exited.error()));
  [[maybe_unused]] const Result<> told = client.send(failed);
  for (Client& other : clients.all()) Clients::send(other, failed);
  return 1;
}

}  // namespace berth::monitor
