#include "cli/containers.h"
#include "cli/each_container.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/running.h"

namespace berth::cli {

namespace {

Result<> restart_one(store::Store& store, const store::ContainerRecord& record,
                     std::optional<int64_t> seconds) {
  TRY(stop_one(store, record, seconds));
  return start_detached(store, TRY(store::find_container(store.db(), record.id)));
}

}  // namespace

Result<int> restart(const Invocation& invocation) {
  EachContainer each;
  bool all = false;
  bool running = false;
  std::optional<int64_t> seconds;
  Flags line(
      invocation, "[flags] CONTAINER [CONTAINER...]",
      "Stops containers as `berth stop` does and starts them again; one that does not run is started. Prints "
      "what was\n"
      "asked for, a line each.",
      "  berth restart web\n  berth restart --time 60 db\n");
  line.flag("-a,--all", all, "All containers");
  line.flag("--running", running, "All that run");
  line.value("-t,--time,--timeout", seconds,
             "Seconds until SIGKILL (default 10, or --stop-timeout; -1: never)", {.shown = "SECONDS"});
  line.words("containers", each.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (each.names.empty() && !all && !running)
    return fail(Code::usage, "berth restart needs a container, --running or --all");
  store::Store store = TRY(open_recovered_store(invocation));
  if (all || running) {
    const std::vector<store::ContainerRecord> records = TRY(store::list_containers(store.db()));
    each.names = running_containers(store, records);
    if (all) {
      each.names.clear();
      for (const store::ContainerRecord& record : records) each.names.push_back(record.id);
    }
  }
  return for_each_container(store, each,
                            [&](const auto& record) { return restart_one(store, record, seconds); });
}

}  // namespace berth::cli
