#include "engine/finish.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/halt.h"
#include "engine/network/connect.h"
#include "engine/network/name_server.h"
#include "engine/remove.h"
#include "engine/restart.h"
#include "monitor/protocol.h"

namespace berth::engine {

namespace {

constexpr std::string_view kLost = "monitor lost";

void announce_end(const store::Store& store, const store::ContainerRecord& record) {
  if (const std::optional<ExitRecord> ended = exit_record(store, record.id)) {
    if (ended->oom_killed) announce(store, record, events::kOom);
    announce_death(store, record, ended->status);
  } else {
    announce_death(store, record, std::nullopt, kLost);
  }
}

// The record as it is with the end that the monitor has left.
store::ContainerRecord ended_record(const store::Store& store, const store::ContainerRecord& record) {
  store::ContainerRecord ended = record;
  const std::optional<ExitRecord> found = exit_record(store, record.id);
  if (found) {
    ended.exit_status = found->status;
    ended.oom_killed = found->oom_killed;
    ended.finished_at = found->finished_at;
    ended.exit_reason.clear();
  } else {
    log::info("container {} ended without its end being recorded", record.name);
    ended.exit_status.reset();
    ended.finished_at = now_nanoseconds();
    ended.exit_reason = kLost;
  }
  // Whoever started it may have been killed before that was recorded.
  if (!ended.started_at) {
    const int64_t started = last_start(store, record.id);
    ended.started_at = started == 0 ? record.created_at : started;
  }
  return ended;
}

Result<Finished> record_end(store::Store& store, const store::ContainerRecord& record) {
  TRY(end_lost_process(store, record.id));
  TRY(disconnect_networks(store, record.id));
  const store::ContainerRecord ended = ended_record(store, record);
  const RestartSpec policy = TRY(container_spec_from_json(record.spec)).restart;
  // Where it went with the machine, what comes up again is for the command that the machine's start calls. A
  // start that was killed may have left no more than the directory, and that goes with the machine as well.
  const bool went_alone =
      sys::exists_at(store.run_root(), container_directory(record.id)) && !is_halting(store);
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  if (!record.started_at) TRY(store::set_container_started(store.db(), record.id, *ended.started_at));
  TRY(store::set_container_exited(store.db(), record.id, ended.exit_status, *ended.finished_at,
                                  ended.exit_reason));
  if (ended.oom_killed) TRY(store::set_container_oom_killed(store.db(), record.id));
  const bool restarts = went_alone && TRY(record_policy(store, policy, ended));
  TRY(transaction.commit());
  announce_end(store, record);
  forget_names(store);
  fault::point("exit-stored");
  // The directory alone says that the machine has not gone down since.
  if (restarts) {
    TRY(sys::remove_tree_at(store.run_root(), container_directory(record.id) + "/" + monitor::kStateFile));
    return Finished::restarting;
  }
  TRY(sys::remove_tree_at(store.run_root(), container_directory(record.id)));
  return Finished::recorded;
}

// The process that was to start it again has been stopped, or lost.
Result<Finished> finish_restarting(store::Store& store, const store::ContainerRecord& record) {
  const bool same_boot = sys::exists_at(store.run_root(), container_directory(record.id));
  if (same_boot && !record.stopped_by_user && !is_halting(store)) return Finished::restarting;
  TRY(disconnect_networks(store, record.id));
  TRY(store::set_container_exited(store.db(), record.id, record.exit_status, record.finished_at.value_or(0),
                                  record.exit_reason));
  TRY(sys::remove_tree_at(store.run_root(), container_directory(record.id)));
  return Finished::recorded;
}

}  // namespace

Result<Finished> finish(store::Store& store, const LockedContainer& container) {
  const store::ContainerRecord& record = container.record;
  if (record.state == store::kExited) return Finished::recorded;
  if (record.state == store::kRestarting) return finish_restarting(store, record);
  const bool not_begun = record.state == store::kCreated && !was_started(store, record.id);
  if (record.state == store::kRemoving || (record.remove_on_exit && !not_begun)) {
    if (was_started(store, record.id)) announce_end(store, record);
    TRY(remove_container(store, container));
    return Finished::removed;
  }
  if (not_begun) return Finished::not_begun;
  return record_end(store, record);
}

std::vector<std::string> finish_command(const store::Store& store, const std::string& id) {
  const store::Locations& locations = store.locations();
  return {"berth", "--root", locations.root, "--runroot", locations.run_root, "container", "finish", id};
}

}  // namespace berth::engine
