#include "engine/stop.h"

#include "base/log.h"
#include "cli/containers.h"
#include "cli/each_container.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/running.h"

namespace berth::cli {

Result<> stop_one(store::Store& store, const store::ContainerRecord& record, std::optional<int64_t> seconds) {
  const engine::StopOptions options = TRY(engine::stop_options(store, record, seconds));
  const engine::Stopped stopped =
      TRY_CONTEXT(engine::stop_container(store, record, options), "cannot stop \"{}\"", record.name);
  if (stopped.killed) {
    log::warn("container {} has not ended within {} s of its stop signal, and was killed", record.name,
              options.patience.count() / 1000);
  }
  return {};
}

std::vector<std::string> running_containers(const store::Store& store,
                                            const std::vector<store::ContainerRecord>& records) {
  std::vector<std::string> ids;
  for (const store::ContainerRecord& record : records) {
    if (record.state == store::kRestarting || engine::live_status(store, record.id)) ids.push_back(record.id);
  }
  return ids;
}

Result<int> stop(const Invocation& invocation) {
  EachContainer each;
  bool all = false;
  std::optional<int64_t> seconds;
  Flags line(
      invocation, "[flags] CONTAINER [CONTAINER...]",
      "Asks containers to end, with their stop signal (--stop-signal, the image's STOPSIGNAL, SIGTERM), and "
      "kills those\n"
      "that have not ended in time. Prints what was asked for, a line each, once that has ended and its end "
      "is "
      "on\n"
      "record. A restart policy does not start it again.",
      "  berth stop web db\n  berth stop --time 60 db\n  berth stop --all\n");
  line.flag("-a,--all", all, "All that run");
  line.flag("-i,--ignore", each.ignore, "No error for a container that is not there");
  line.value("-t,--time,--timeout", seconds,
             "Seconds until SIGKILL (default 10, or --stop-timeout; -1: never)", {.shown = "SECONDS"});
  line.words("containers", each.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (each.names.empty() && !all) return fail(Code::usage, "berth stop needs a container, or --all");
  store::Store store = TRY(open_recovered_store(invocation));
  if (all) each.names = running_containers(store, TRY(store::list_containers(store.db())));
  return for_each_container(store, each,
                            [&](const auto& record) { return stop_one(store, record, seconds); });
}

}  // namespace berth::cli
