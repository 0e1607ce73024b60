#include "engine/finish.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/container/unfinished.h"
#include "engine/halt.h"
#include "engine/network/connect.h"
#include "engine/network/name_server.h"
#include "engine/remove.h"
#include "engine/restart.h"
#include "monitor/protocol.h"

namespace berth::engine {

namespace {

void announce_end(const store::Store& store, const store::ContainerRecord& record) {
  if (const std::optional<ExitRecord> ended = exit_record(store, record.id)) {
    if (ended->oom_killed && !ended->oom_told) announce(store, record, events::kOom);
    announce_death(store, record, ended->status);
  } else {
    announce_death(store, record, std::nullopt, kMonitorLost);
  }
}

Result<Finished> record_end(store::Store& store, const store::ContainerRecord& record) {
  TRY(end_lost_process(store, record.id));
  TRY(disconnect_networks(store, record.id));
  const store::ContainerRecord ended = ended_record(store, record);
  if (!ended.exit_status) log::info("container {} ended without its end being recorded", record.name);
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
    forget_unfinished(store, record.id);
    TRY(sys::remove_tree_at(store.run_root(), container_directory(record.id) + "/" + monitor::kStateFile));
    return Finished::restarting;
  }
  TRY(sys::remove_tree_at(store.run_root(), container_directory(record.id)));
  return Finished::recorded;
}

// The process that was to start it again has been stopped, or lost, or is to do so no more.
Result<Finished> finish_restarting(store::Store& store, const store::ContainerRecord& record) {
  const bool same_boot = sys::exists_at(store.run_root(), container_directory(record.id));
  const bool wanted = TRY(container_spec_from_json(record.spec)).restart.any() && !record.stopped_by_user;
  if (same_boot && wanted && !is_halting(store)) return Finished::restarting;
  TRY(disconnect_networks(store, record.id));
  TRY(store::set_container_exited(store.db(), record.id, record.exit_status, record.finished_at.value_or(0),
                                  record.exit_reason));
  TRY(sys::remove_tree_at(store.run_root(), container_directory(record.id)));
  return Finished::recorded;
}

std::vector<std::string> command_of_monitor(const store::Store& store, const char* word,
                                            const std::string& id) {
  const store::Locations& locations = store.locations();
  return {"berth", "--root", locations.root, "--runroot", locations.run_root, "container", word, id};
}

Result<Finished> finish_now(store::Store& store, const LockedContainer& container) {
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

}  // namespace

Result<Finished> finish(store::Store& store, const LockedContainer& container) {
  Result<Finished> finished = finish_now(store, container);
  if (!finished) note_unfinished(store, container.record, finished.error());
  return finished;
}

std::vector<std::string> finish_command(const store::Store& store, const std::string& id) {
  return command_of_monitor(store, "finish", id);
}

std::vector<std::string> oom_command(const store::Store& store, const std::string& id) {
  return command_of_monitor(store, "oom", id);
}

}  // namespace berth::engine
