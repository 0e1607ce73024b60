#include <cerrno>

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/running.h"
#include "engine/remove.h"
#include "engine/volumes/volumes.h"

namespace berth::cli {

namespace {

struct RmFlags {
  bool all = false;
  bool force = false;
  bool ignore = false;
  bool volumes = false;
  std::optional<int64_t> seconds;
  std::vector<std::string> names;
};

Result<> remove_one(store::Store& store, const store::ContainerRecord& record, const RmFlags& flags) {
  const bool force = flags.force;
  if (force && flags.seconds) {
    const Result<> stopped = stop_one(store, record, flags.seconds);
    if (!stopped && stopped.error().code != Code::not_found) return stopped;
  }
  // Its restart policy is not to be faster; on a full disk what is removed makes the room.
  if (force) {
    const Result<> noted = store::set_container_stopped(store.db(), record.id);
    if (!noted && noted.error().err != ENOSPC) return noted;
  }
  const Result<engine::LockedContainer> locked =
      force ? engine::kill_and_lock_container(store, record) : engine::lock_container(store, record);
  if (locked) {
    if (flags.volumes) TRY(engine::remove_anonymous_volumes(store, record.id));
    return engine::remove_container(store, *locked);
  }
  Error error = locked.error();
  // One that was made with --rm is removed by the command that is attached to it.
  if (error.code == Code::not_found && force) return {};
  if (error.code == Code::conflict && !force) error.hint = "`berth rm --force` ends it first.";
  return std::unexpected(std::move(error));
}

}  // namespace

Result<int> rm(const Invocation& invocation) {
  RmFlags flags;
  Flags line(invocation, "[flags] CONTAINER [CONTAINER...]",
             "Removes containers: their files, their records and their banks. Prints what was asked for, a "
             "line each.",
             "  berth rm job\n  berth rm --force --all\n");
  line.flag("-a,--all", flags.all, "All containers");
  line.flag("-f,--force", flags.force, "Kill running ones first");
  line.value("-t,--time,--timeout", flags.seconds,
             "With --force: stop them, as `berth stop --time` does, before they are killed",
             {.shown = "SECONDS"});
  line.flag("-i,--ignore", flags.ignore, "No error for a container that is not there");
  line.flag("-v,--volumes", flags.volumes, "Remove their volumes that have no name too");
  line.words("containers", flags.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (flags.names.empty() && !flags.all) return fail(Code::usage, "berth rm needs a container, or --all");
  if (flags.seconds && !flags.force)
    return fail(Code::usage, "--time has a use only with --force: without it nothing that runs is removed");
  store::Store store = TRY(open_recovered_store(invocation));
  if (flags.all) {
    for (const store::ContainerRecord& record : TRY(store::list_containers(store.db())))
      flags.names.push_back(record.id);
  }
  int status = 0;
  for (const std::string& name : flags.names) {
    Result<store::ContainerRecord> record = store::find_container(store.db(), name);
    if (!record && record.error().code == Code::not_found && (flags.ignore || flags.force)) continue;
    const Result<> removed =
        record ? remove_one(store, *record, flags) : Result<>(std::unexpected(record.error()));
    if (removed) {
      fmt::print("{}\n", name);
      continue;
    }
    // The others are still removed; the status tells that not all were.
    fmt::print(stderr, "{}", render("berth", removed.error()));
    constexpr int kRunning = 2;  // as podman has it
    status = removed.error().code == Code::conflict ? kRunning : 1;
  }
  return status;
}

}  // namespace berth::cli
