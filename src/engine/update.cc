#include "engine/update.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cgroup/limits.h"
#include "config/load.h"
#include "engine/container/announce.h"
#include "engine/container/container_cgroup.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/resource_rules.h"
#include "engine/recovery/store_copy.h"
#include "engine/restart.h"
#include "monitor/container_cgroup.h"
#include "scope/scope.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// What was limited and is not any more has to be written too.
void take_back(const ResourceSpec& before, const ResourceSpec& wanted, cgroup::Limits& limits) {
  const auto gone = [](uint64_t was, uint64_t is) { return was != 0 && is == 0; };
  if (gone(before.memory, wanted.memory)) limits.memory.limit = cgroup::kUnlimited;
  if (gone(before.memory_reservation, wanted.memory_reservation))
    limits.memory.reservation = cgroup::kUnlimited;
  const bool was_timed = before.nano_cpus != 0 || before.cpu_quota != 0;
  if (was_timed && wanted.nano_cpus == 0 && wanted.cpu_quota == 0) limits.cpu.quota = cgroup::kUnlimited;
}

// The hierarchies of v1 that the limits need and that the container has no cgroup in, as it was started
// without such a limit.
Result<cgroup::Hierarchies> missing_hierarchies(const cgroup::Cgroup& cgroup, const cgroup::Limits& limits) {
  cgroup::Hierarchies found = TRY(cgroup::hierarchies_of_this_process());
  const std::vector<std::string> controllers = monitor::limiting_controllers(limits);
  std::erase_if(found.all, [&](const cgroup::Hierarchy& one) {
    const bool has_it = std::ranges::any_of(
        cgroup.parts(), [&](const cgroup::Cgroup::Part& part) { return part.hierarchy.key == one.key; });
    const bool needed =
        std::ranges::any_of(controllers, [&](const std::string& name) { return one.has(name); });
    return one.v2() || has_it || !needed;
  });
  return found;
}

// All of them, also those that are born meanwhile: their parents may not have been moved yet.
Result<> move_processes(const cgroup::Cgroup& from, const cgroup::Cgroup& into) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<pid_t> all = TRY(from.processes());
    const std::vector<pid_t> there = TRY(into.processes());
    bool moved = false;
    for (const pid_t pid : all) {
      if (std::ranges::binary_search(there, pid)) continue;
      const Result<> added = into.add(pid);
      if (!added && added.error().err != ESRCH) return std::unexpected(added.error());
      moved = true;
    }
    if (!moved) return {};
  }
  return fail("the container's processes multiply faster than they can be moved into a cgroup");
}

// Recorded before anything is in it, so that the monitor, or recover(), takes it away with the others.
Result<> extend(const store::Store& store, std::string_view id, const cgroup::Cgroup& cgroup,
                const cgroup::Limits& limits) {
  const cgroup::Hierarchies missing = TRY(missing_hierarchies(cgroup, limits));
  if (missing.all.empty()) return {};
  const cgroup::CgroupsPath path = TRY(cgroup::parse_cgroups_path(cgroup.parts().front().path));
  // systemd has put its processes into other hierarchies than those that it was made in.
  const bool of_systemd = !scope::unit_of(cgroup).empty();
  const cgroup::Cgroup more = TRY(cgroup::Cgroup::create(missing, path, {.adopted = of_systemd}));
  const std::string text = cgroup::record_text(cgroup.record()) + cgroup::record_text(more.record());
  TRY(sys::replace_file_at(store.run_root(), container_directory(id) + "/" + monitor::kCgroupFile, text, 0600,
                           sys::Durability::none));
  return move_processes(cgroup, more);
}

Result<> apply_now(const store::Store& store, const store::ContainerRecord& record,
                   const ResourceSpec& before, const ResourceSpec& wanted) {
  std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, record.id));
  if (!cgroup)
    return fail(Code::conflict,
                "it runs without a cgroup of its own, so it can be limited only from its next start on");
  cgroup::Limits limits = TRY(cgroup_limits(wanted));
  take_back(before, wanted, limits);
  TRY(extend(store, record.id, *cgroup, limits));
  cgroup = TRY(cgroup_of(store, record.id));
  if (!cgroup) return fail(Code::conflict, "it has ended meanwhile");
  return monitor::apply_container_limits(*cgroup, std::move(limits));
}

}  // namespace

Result<> update_container(store::Store& store, store::ContainerRecord record, const ContainerUpdate& update) {
  ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  if (record.remove_on_exit && update.restart && update.restart->any())
    return fail(Code::usage,
                "--restart {}: container {} is removed when it ends (--rm), and can't start again",
                update.restart->policy, record.name);
  if (update.resources) {
    const ResourceSpec before = std::exchange(spec.resources, *update.resources);
    const config::Config config = TRY(config::load(config::sources_from_environment()));
    TRY(check_resources(store.db(), config, caller_from_environment().name, spec));
    if (live_status(store, record.id))
      TRY_CONTEXT(apply_now(store, record, before, spec.resources), "cannot change the limits of {}",
                  record.name);
  }
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  // What somebody else has changed meanwhile, its networks, say, stays as it is.
  record = TRY(store::find_container(store.db(), record.id));
  spec = TRY(container_spec_from_json(record.spec));
  if (update.resources) spec.resources = *update.resources;
  if (update.restart) {
    spec.restart.policy = update.restart->policy;
    spec.restart.most = update.restart->most;
  }
  record.spec = TRY(to_json(spec));
  TRY(store::set_container_spec(store.db(), record.id, record.spec));
  if (!record.remove_on_exit) TRY(write_container_copy(store, record));
  TRY(transaction.commit());
  announce(store, record, events::kUpdate);
  // What waits to start it again; the next command that looks at it puts its end on record.
  if (update.restart && !update.restart->any()) return cancel_restart(store, record.id);
  return {};
}

}  // namespace berth::engine
