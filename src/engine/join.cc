#include "engine/join.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>

#include "engine/container/status.h"
#include "engine/finish.h"
#include "monitor/control_socket.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

Result<Session> connect(const store::Store& store, const store::ContainerRecord& record, bool output) {
  const std::optional<LiveStatus> live = live_status(store, record.id);
  if (!live) return fail(Code::conflict, "container {} does not run", record.name);
  sys::UniqueFd process = TRY(sys::open_process(live->monitor_pid));
  const std::string path = container_directory(record.id);
  const sys::UniqueFd state = TRY(sys::open_at(store.run_root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  sys::Channel channel = TRY(monitor::connect_to_monitor(state.get()));
  TRY(channel.send(monitor::pack_value(monitor::Kind::attach, monitor::AttachRequest{output})));
  return Session{std::move(channel), std::move(process), {}, {}};
}

bool is_over(const store::ContainerRecord& then, const store::ContainerRecord& now) {
  return (now.state != store::kRunning && now.state != store::kCreated) || now.started_at != then.started_at;
}

}  // namespace

Result<Session> join(const store::Store& store, const store::ContainerRecord& record, bool output) {
  Result<Session> session = connect(store, record, output);
  if (session) return session;
  // A monitor that is at its end has closed its socket.
  const bool listens = session.error().err != ECONNREFUSED && session.error().err != ENOENT;
  if (listens && live_status(store, record.id)) return session;
  return fail(Code::conflict, "container {} does not run", record.name);
}

Result<std::optional<store::ContainerRecord>> await_finished(store::Store& store,
                                                             const store::ContainerRecord& record) {
  constexpr std::chrono::seconds kPatience{10};
  constexpr std::chrono::milliseconds kPause{5};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    Result<store::ContainerRecord> now = store::find_container(store.db(), record.id);
    if (!now && now.error().code == Code::not_found) return std::nullopt;
    if (!now) return std::unexpected(now.error());
    if (is_over(record, *now)) return std::move(*now);
    if (const Result<LockedContainer> locked = lock_container(store, *now)) {
      TRY(finish(store, *locked));
      continue;
    }
    if (std::chrono::steady_clock::now() > deadline)
      return fail("the end of container {} is not put on record", record.name);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace berth::engine
