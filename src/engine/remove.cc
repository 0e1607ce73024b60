#include "engine/remove.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/container/announce.h"
#include "engine/container/container_cgroup.h"
#include "engine/container/status.h"
#include "engine/network/connect.h"
#include "engine/network/name_server.h"
#include "engine/restart.h"
#include "engine/translation/translate.h"
#include "engine/volumes/volumes.h"
#include "ledger/bank_uses.h"
#include "monitor/protocol.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

Result<> remove_files(store::Store& store, const std::string& id) {
  const std::string path = container_directory(id);
  TRY(sys::remove_tree_at(store.run_root(), path));
  const Result<sys::UniqueFd> directory =
      sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory && directory.error().err == ENOENT) return {};
  if (!directory) return std::unexpected(directory.error());
  // The lock last: without it nobody could tell one that is being removed from one whose remover was killed.
  const std::vector<std::string> names = TRY(sys::list_dir(directory->get()));
  for (const std::string& name : names) {
    if (name != monitor::kLockFile) TRY(sys::remove_tree_at(directory->get(), name));
  }
  fault::point("files-removed-but-lock");
  TRY(sys::remove_tree_at(directory->get(), monitor::kLockFile));
  fault::point("lock-removed");
  return sys::remove_tree_at(store.root(), path);
}

Result<> remove_record(store::Store& store, const store::ContainerRecord& record) {
  const std::string& id = record.id;
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  TRY(ledger::free_banks_of(store.db(), {"container", id}));
  TRY(ledger::forget_uses(store.db(), id));
  TRY(store::delete_container(store.db(), id));
  const std::vector<store::Translation> copies = TRY(forget_translation_of(store.db(), record));
  TRY(transaction.commit());
  forget_names(store);
  return remove_translations(store, copies);
}

// Waits 10 s at most for the commands that are busy with a container; does `first` before each try.
Result<LockedContainer> lock_patiently(store::Store& store, const store::ContainerRecord& record,
                                       const std::function<Result<>()>& first) {
  constexpr std::chrono::seconds kPatience{10};
  constexpr std::chrono::milliseconds kPause{5};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    TRY(first());
    Result<LockedContainer> locked = lock_container(store, record);
    const bool busy = !locked && locked.error().code == Code::conflict;
    if (!busy || std::chrono::steady_clock::now() > deadline) return locked;
    std::this_thread::sleep_for(kPause);
  }
}

// And not the command that puts the end on record, which the monitor executes in its own place.
bool is_monitor(pid_t pid) {
  constexpr size_t kLongestName = 64;
  const Result<std::string> name =
      sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/comm", pid), kLongestName);
  return name && name->starts_with("berth-monitor");
}

// Unless somebody else has recorded it, or started the container again.
Result<> record_exit(store::Store& store, const store::ContainerRecord& record,
                     const monitor::Exited& exited) {
  const Result<LockedContainer> locked = lock_patiently(store, record, [] { return Result<>(); });
  const bool others_have_it =
      !locked && (locked.error().code == Code::not_found || locked.error().code == Code::conflict);
  if (others_have_it) return {};
  if (!locked) return std::unexpected(locked.error());
  if (locked->record.state == store::kExited) return {};
  TRY(store::set_container_exited(store.db(), record.id, exited.status, exited.finished_at, ""));
  if (exited.oom_killed) {
    TRY(store::set_container_oom_killed(store.db(), record.id));
    if (!exited.oom_told) announce(store, record, events::kOom);
  }
  announce_death(store, record, exited.status);
  forget_names(store);
  fault::point("exit-stored");
  return sys::remove_tree_at(store.run_root(), container_directory(record.id));
}

// Whoever removes something to make room has none yet.
bool is_full(const Result<>& result) {
  return !result && result.error().err == ENOSPC;
}

}  // namespace

Result<> remove_container(store::Store& store, const LockedContainer& container) {
  const store::ContainerRecord& record = container.record;
  const auto remove = [&]() -> Result<> {
    // One that was to go anyway needs no note of it: recover() would do the same.
    const Result<> noted =
        record.remove_on_exit ? Result<>() : store::set_container_removing(store.db(), record.id);
    if (!noted && !is_full(noted)) return noted;
    fault::point("removing");
    TRY(end_lost_process(store, record.id));
    const Result<> disconnected = disconnect_networks(store, record.id);
    if (!disconnected && !is_full(disconnected)) return disconnected;
    if (record.remove_on_exit) TRY(remove_anonymous_volumes(store, record.id));
    TRY(remove_files(store, record.id));
    fault::point("files-removed");
    // Now there is room.
    if (!disconnected) TRY(disconnect_networks(store, record.id));
    TRY(remove_record(store, record));
    announce(store, record, events::kRemove);
    return {};
  };
  TRY_CONTEXT(remove(), "remove container {}", record.name);
  return {};
}

Result<> finish_container(store::Store& store, const store::ContainerRecord& record, int monitor,
                          const monitor::Exited& exited) {
  if (!record.remove_on_exit) {
    // The monitor ends now, and its lock on the container with it.
    TRY(sys::wait_for(monitor));
    return record_exit(store, record, exited);
  }
  // Another command may do the same at the same time.
  const auto remove = [&]() -> Result<> {
    if (exited.oom_killed && !exited.oom_told) announce(store, record, events::kOom);
    announce_death(store, record, exited.status);
    TRY(remove_anonymous_volumes(store, record.id));
    // The monitor removes the files of its own layer meanwhile. What a crash leaves has no record, and so
    // recover() removes it, but not before this lock is gone.
    const sys::FileLock removing = TRY(sys::FileLock::shared(store.root(), kCreatingLock));
    const Result<> forgotten = remove_record(store, record);
    fault::point("record-removed");
    TRY(sys::wait_for(monitor));
    TRY(remove_files(store, record.id));
    // On a full disk there is room now.
    const bool had_no_room = is_full(forgotten);
    if (had_no_room) TRY(remove_record(store, record));
    if (!had_no_room) TRY(Result<>(forgotten));
    announce(store, record, events::kRemove);
    return {};
  };
  TRY_CONTEXT(remove(), "remove container {}", record.name);
  return {};
}

namespace {
Result<> end_lost_first(store::Store& store, std::string_view id) {
  constexpr int kPatienceMs = 10'000;
  const std::optional<pid_t> pid = lost_process(store, id);
  if (!pid) return {};
  const Result<sys::UniqueFd> process = sys::open_process(*pid);
  // Asked again now that the descriptor holds on to whatever has the PID.
  if (!process || !lost_process(store, id)) return {};
  TRY(sys::send_signal(process->get(), SIGKILL));
  pollfd ended{process->get(), POLLIN, 0};
  if (sys::poll_process({&ended, 1}, kPatienceMs) == 0)
    return fail("process {} does not end (SIGKILL was sent)", *pid);
  return {};
}
}  // namespace

Result<> end_lost_process(store::Store& store, std::string_view id) {
  // Frozen, it does not end by a signal alone.
  TRY(remove_lost_cgroup(store, id));
  return end_lost_first(store, id);
}

Result<> kill_container(store::Store& store, const store::ContainerRecord& record) {
  constexpr std::chrono::seconds kPatience{10};
  constexpr std::chrono::seconds kDrain{1};
  constexpr int kSliceMs = 20;
  using Clock = std::chrono::steady_clock;
  TRY(cancel_restart(store, record.id));
  const std::optional<LiveStatus> live = live_status(store, record.id);
  if (!live) return {};
  const Result<sys::UniqueFd> monitor = sys::open_process(live->monitor_pid);
  if (!monitor || !live_status(store, record.id)) return {};
  if (const std::optional<FirstProcess> first = first_process(store, record.id)) {
    TRY(sys::send_signal(first->pidfd.get(), SIGKILL));
    // The rest of it, and what a freezer holds back.
    TRY(kill_in_cgroup(store, record.id));
  }
  const auto begin = Clock::now();
  pollfd ended{monitor->get(), POLLIN, 0};
  while (sys::poll_process({&ended, 1}, kSliceMs) == 0) {
    const auto passed = Clock::now() - begin;
    if (passed > kPatience) return fail("container {} does not end (SIGKILL was sent)", record.name);
    // With output left and a client that does not read it, the monitor would wait for that.
    if (passed > kDrain && is_monitor(live->monitor_pid)) TRY(sys::send_signal(monitor->get(), SIGKILL));
    // The process may be waiting to start it again by now.
    TRY(cancel_restart(store, record.id));
  }
  return {};
}

Result<LockedContainer> kill_and_lock_container(store::Store& store, const store::ContainerRecord& record) {
  return lock_patiently(store, record, [&] { return kill_container(store, record); });
}

Result<> kill_and_remove_container(store::Store& store, const std::string& id) {
  const Result<store::ContainerRecord> record = store::find_container(store.db(), id);
  if (!record && record.error().code == Code::not_found) return {};
  if (!record) return std::unexpected(record.error());
  const Result<LockedContainer> locked = kill_and_lock_container(store, *record);
  if (!locked && locked.error().code == Code::not_found) return {};
  if (!locked) return std::unexpected(locked.error());
  return remove_container(store, *locked);
}

}  // namespace berth::engine
