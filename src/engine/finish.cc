#include "engine/finish.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/status.h"
#include "engine/network/connect.h"
#include "engine/network/name_server.h"
#include "engine/remove.h"

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

Result<> record_end(store::Store& store, const store::ContainerRecord& record) {
  TRY(end_lost_process(store, record.id));
  TRY(disconnect_networks(store, record.id));
  const std::optional<ExitRecord> ended = exit_record(store, record.id);
  // Whoever started it may have been killed before that was recorded.
  if (!record.started_at) {
    const int64_t started = last_start(store, record.id);
    TRY(store::set_container_started(store.db(), record.id, started == 0 ? record.created_at : started));
  }
  if (ended) {
    TRY(store::set_container_exited(store.db(), record.id, ended->status, ended->finished_at, ""));
    if (ended->oom_killed) TRY(store::set_container_oom_killed(store.db(), record.id));
  } else {
    log::info("container {} ended without its end being recorded", record.name);
    TRY(store::set_container_exited(store.db(), record.id, std::nullopt, now_nanoseconds(), kLost));
  }
  announce_end(store, record);
  forget_names(store);
  fault::point("exit-stored");
  return sys::remove_tree_at(store.run_root(), container_directory(record.id));
}

}  // namespace

Result<Finished> finish(store::Store& store, const LockedContainer& container) {
  const store::ContainerRecord& record = container.record;
  if (record.state == store::kExited) return Finished::recorded;
  const bool not_begun = record.state == store::kCreated && !was_started(store, record.id);
  if (record.state == store::kRemoving || (record.remove_on_exit && !not_begun)) {
    if (was_started(store, record.id)) announce_end(store, record);
    TRY(remove_container(store, container));
    return Finished::removed;
  }
  if (not_begun) return Finished::not_begun;
  TRY(record_end(store, record));
  return Finished::recorded;
}

std::vector<std::string> finish_command(const store::Store& store, const std::string& id) {
  const store::Locations& locations = store.locations();
  return {"berth", "--root", locations.root, "--runroot", locations.run_root, "container", "finish", id};
}

}  // namespace berth::engine
