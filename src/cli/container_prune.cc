// `berth container prune`.
#include "base/clock.h"
#include "cli/confirm.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/prune.h"
#include "cli/recovered_store.h"
#include "cli/remove_each.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/remove.h"

namespace berth::cli {

Result<std::vector<store::ContainerRecord>> prunable_containers(store::Store& store,
                                                                const PruneFilters& filters) {
  std::vector<store::ContainerRecord> prunable;
  for (store::ContainerRecord& record : TRY(store::list_containers(store.db()))) {
    const bool ended = record.state == store::kCreated || record.state == store::kExited;
    if (!ended || engine::live_status(store, record.id)) continue;
    const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(record.spec));
    std::map<std::string, std::string> labels;
    for (const engine::Pair& label : spec.labels) labels[label.key] = label.value;
    if (filters.let(record.created_at / kNanoseconds, labels)) prunable.push_back(std::move(record));
  }
  return prunable;
}

Result<> remove_containers(store::Store& store, const std::vector<store::ContainerRecord>& containers) {
  const auto remove = [&](const store::ContainerRecord& record) -> Result<> {
    const engine::LockedContainer locked = TRY(engine::lock_container(store, record));
    return engine::remove_container(store, locked);
  };
  return remove_unused(containers, remove, [](const store::ContainerRecord& record) { return record.id; });
}

Result<int> prune_containers(const Invocation& invocation) {
  bool force = false;
  std::vector<std::string> words;
  Flags line(invocation, "[flags]", "Removes all containers that do not run. Prints their IDs.",
             "  berth container prune --force\n  berth container prune --filter until=24h --filter "
             "label=team=web\n");
  line.list("--filter", words, "until=, label= or label!=");
  line.flag("-f,--force", force, "Do not ask");
  if (!TRY(line.parse())) return 0;
  const PruneFilters filters = TRY(PruneFilters::parse(words));
  store::Store store = TRY(open_recovered_store(invocation));
  const std::vector<store::ContainerRecord> prunable = TRY(prunable_containers(store, filters));
  std::string consequence = "This removes these containers, and what is in them:";
  for (const store::ContainerRecord& record : prunable) consequence += "\n  " + record.name;
  if (prunable.empty() || (!force && !confirmed(consequence))) return 0;
  TRY(remove_containers(store, prunable));
  return 0;
}

}  // namespace berth::cli
