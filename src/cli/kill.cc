#include <csignal>

#include "cli/containers.h"
#include "cli/each_container.h"
#include "cli/flag_values.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/running.h"
#include "engine/stop.h"

namespace berth::cli {

Result<int> kill(const Invocation& invocation) {
  EachContainer each;
  bool all = false;
  std::string text = "KILL";
  Flags line(
      invocation, "[flags] CONTAINER [CONTAINER...]",
      "Sends a signal to the first process of containers that run. Prints what was asked for, a line each.",
      "  berth kill web\n  berth kill --signal HUP web\n");
  line.flag("-a,--all", all, "All that run");
  line.value("-s,--signal", text, "The signal, by name or number (default KILL)");
  line.words("containers", each.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (each.names.empty() && !all) return fail(Code::usage, "berth kill needs a container, or --all");
  const int signal = TRY_CONTEXT(parse_signal(text), "--signal");
  store::Store store = TRY(open_recovered_store(invocation));
  if (all) each.names = running_containers(store, TRY(store::list_containers(store.db())));
  return for_each_container(
      store, each, [&](const auto& record) { return engine::signal_container(store, record, signal); });
}

}  // namespace berth::cli
