#include <algorithm>
#include <chrono>

#include "cli/each_container.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/running.h"
#include "cli/system.h"
#include "engine/container/container_spec.h"
#include "engine/halt.h"
#include "engine/recover.h"
#include "engine/restart.h"
#include "engine/stop.h"

namespace berth::cli {

Result<int> system_boot(const Invocation& invocation) {
  Flags line(invocation, "",
             "Starts the containers that their restart policy wants to run after the machine has come up: "
             "those with "
             "always,\n"
             "and those with unless-stopped that nobody has stopped. Those that run are left alone. Prints "
             "their IDs, a "
             "line\n"
             "each. The package's unit berth-boot.service calls it.",
             "  berth system boot\n");
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  TRY(engine::end_halt(store));
  TRY(engine::recover(store));
  EachContainer each;
  for (const store::ContainerRecord& record : TRY(store::list_containers(store.db()))) {
    const Result<engine::ContainerSpec> spec = engine::container_spec_from_json(record.spec);
    // One that can't be read does not keep the others from starting.
    if (spec && engine::wants_start_at_boot(spec->restart, record) && !engine::live_status(store, record.id))
      each.names.push_back(record.id);
  }
  return for_each_container(store, each, [&](const auto& record) { return start_detached(store, record); });
}

Result<int> system_halt(const Invocation& invocation) {
  std::optional<int64_t> seconds;
  Flags line(invocation, "[flags]",
             "Stops all containers for the machine to go down, all at once, each with its own stop signal "
             "and time. To "
             "their\n"
             "restart policies that is no stop by a person: `berth system boot` starts them again.",
             "  berth system halt\n");
  line.value("-t,--time", seconds, "Seconds until SIGKILL, in the place of each one's own",
             {.shown = "SECONDS"});
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  TRY(engine::begin_halt(store));
  EachContainer each{.names = running_containers(store, TRY(store::list_containers(store.db())))};
  for (const std::string& id : each.names) {
    const Result<store::ContainerRecord> record = store::find_container(store.db(), id);
    if (!record) continue;
    const engine::StopOptions options = TRY(engine::stop_options(store, *record, seconds));
    TRY(engine::ask_to_stop(store, id, options.signal));
  }
  const auto begin = std::chrono::steady_clock::now();
  return for_each_container(store, each, [&](const auto& record) -> Result<> {
    engine::StopOptions options = TRY(engine::stop_options(store, record, seconds));
    options.signal = 0;  // it has had it
    options.by_user = false;
    const auto passed =
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    const auto none = std::chrono::milliseconds(0);
    if (options.patience != std::chrono::milliseconds::max())
      options.patience = std::max(options.patience - passed, none);
    TRY(engine::stop_container(store, record, options));
    return {};
  });
}

}  // namespace berth::cli
