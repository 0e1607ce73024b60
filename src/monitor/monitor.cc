#include "monitor/monitor.h"

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
#include "monitor/finish.h"
#include "monitor/protocol.h"
#include "monitor/relay.h"
#include "monitor/streams.h"
#include "runtime/container.h"
#include "sys/companion.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/sealed_program.h"

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

constexpr const char* kNotByHand = "berth-monitor is started by berth, not by hand";

Result<runtime::PreparedContainer> prepare(sys::Channel& client) {
  sys::Message message = TRY(client.receive(kMostJoined));
  if (TRY(kind_of(message.data)) != Kind::prepare) return fail("{}", kNotByHand);
  const auto request = TRY(wire::decode<PrepareRequest>(std::string_view(message.data).substr(1)));
  const std::string path = TRY(sys::companion_path("berth-init"));
  sys::UniqueFd init = TRY(sys::open_sealed_program(path));
  if (request.joined.size() != message.fds.size()) return fail("{}", kNotByHand);
  runtime::Namespaces namespaces{request.namespaces, {}};
  for (size_t i = 0; i < message.fds.size(); ++i)
    namespaces.joined.push_back({request.joined[i], std::move(message.fds[i])});
  return runtime::PreparedContainer::prepare(namespaces, std::move(init));
}

// Nothing if the client went away without one: it had no use for this monitor after all.
Result<std::optional<Task>> receive_task(sys::Channel& client) {
  sys::Message message = TRY(client.receive(kStartDescriptors));
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

Result<> record_exit(const Task& task, const Exited& exited) {
  const std::string text =
      fmt::format(R"({{"status":{},"finished_at":{}}})", exited.status, exited.finished_at);
  return sys::replace_file_at(task.container.get(), kExitFile, text, 0600, sys::Durability::synced);
}

// Nobody is going to read it, and the client has other things to do. It removes what is left here.
void remove_own_layer(const Task& task) {
  for (const std::string& path : {task.plan.rootfs.upper, task.plan.rootfs.work}) {
    const Result<> removed = sys::remove_tree_at(task.container.get(), path.substr(path.rfind('/') + 1));
    if (!removed) log::debug("remove {}: {}", path, removed.error().message);
  }
}

Result<Exited> run_container(sys::Channel& client, runtime::PreparedContainer prepared, const Task& task) {
  fault::point("task-received");
  const bool terminal = task.plan.process.terminal;
  StreamEnds ends;
  if (!terminal) ends = TRY(make_streams(task.plan, task.request.interactive));
  runtime::RunningContainer container = TRY(prepared.start(task.plan, {.plan_file = task.plan_file.get(),
                                                                       .streams = std::move(ends.inside),
                                                                       .scratch = task.request.scratch}));
  const Started started{container.pid, now_nanoseconds()};
  fault::point("container-started");
  TRY(record_state(task, container.pid, started.started_at));
  fault::point("state-recorded");
  // A client that is gone already does not matter.
  [[maybe_unused]] const Result<> told = client.send(pack_value(Kind::started, started));
  sys::Channel nobody;
  // Nothing of the caller's is held any longer, not even for diagnostics.
  if (task.request.detached) ::dup2(STDIN_FILENO, STDERR_FILENO);
  Relay relay(task.request.detached ? nobody : client, TRY(open_log(task.container.get())));
  const siginfo_t ended = TRY(relay.run(container, std::move(ends.outside)));
  fault::point("container-ended");
  return Exited{sys::shell_status(ended), now_nanoseconds()};
}

// Whether the client has heard the end, and so is the one that finishes the container.
bool tell_end(sys::Channel& client, const Task& task, const Exited& exited) {
  if (task.request.detached) {
    // It may still be recording the start.
    while (client.open()) {
      const Result<sys::Message> message = client.receive();
      if (!message || message->data.empty()) client.close();
    }
    return false;
  }
  return client.open() && client.send(pack_value(Kind::exited, exited)).has_value();
}

void end(sys::Channel& client, const Task& task, const Exited& exited) {
  if (task.request.record_exit) {
    // On a full disk the client still hears how it ended, and records it.
    if (const Result<> recorded = record_exit(task, exited); !recorded)
      log::warn("cannot record how the container ended: {}", recorded.error().message);
  }
  fault::point("exit-recorded");
  const bool client_finishes = tell_end(client, task, exited);
  client.close();
  if (!client_finishes) execute_finish(task.request.finish, task.lock.get());
  if (task.plan.rootfs.transient) remove_own_layer(task);
}

}  // namespace

int serve(sys::Channel client) {
  // A session of its own: the terminal's signals are the client's to forward.
  ::setsid();
  if (::chdir("/") != 0) log::debug("chdir /: {}", describe_errno(errno));
  ::signal(SIGPIPE, SIG_IGN);
  Result<runtime::PreparedContainer> prepared = prepare(client);
  Result<std::optional<Task>> task = receive_task(client);
  if (task && !*task) return 0;
  const auto run = [&]() -> Result<Exited> {
    if (!task) return std::unexpected(task.error());
    return run_container(client, TRY(std::move(prepared)), **task);
  };
  const Result<Exited> exited = run();
  if (exited) {
    end(client, **task, *exited);
    return 0;
  }
  [[maybe_unused]] const Result<> told =
      client.send(pack_value(Kind::failed, runtime::to_failure(exited.error())));
  return 1;
}

}  // namespace berth::monitor
