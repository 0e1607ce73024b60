#include <chrono>
#include <thread>

#include "base/detach_keys.h"
#include "base/log.h"
#include "cli/attach_running.h"
#include "cli/containers.h"
#include "cli/each_container.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/running.h"
#include "cli/translation_text.h"
#include "engine/attach.h"
#include "engine/container/status.h"
#include "engine/restart.h"
#include "engine/start_again.h"

namespace berth::cli {

namespace {

struct StartFlags {
  bool attach = false;
  bool interactive = false;
  bool signal_proxy = true;
  std::string detach_keys = kUsualDetachKeys;
  std::vector<std::string> names;
};

bool runs(const store::Store& store, const std::string& id) {
  return engine::first_process(store, id).has_value();
}

// Whoever puts an end on record, or was about to start it again, is done with it in a moment.
Result<engine::LockedContainer> lock_to_start(store::Store& store, const store::ContainerRecord& record) {
  constexpr int kAttempts = 300;
  constexpr std::chrono::milliseconds kPause{10};
  // A person does now what its policy is waiting to do.
  TRY(engine::cancel_restart(store, record.id));
  for (int attempt = 1;; ++attempt) {
    Result<engine::LockedContainer> locked = engine::lock_container(store, record);
    const bool busy = !locked && locked.error().code == Code::conflict;
    if (!busy || attempt == kAttempts || runs(store, record.id)) return locked;
    std::this_thread::sleep_for(kPause);
  }
}

Result<int> start_attached(store::Store& store, const std::string& name, const StartFlags& flags) {
  engine::AttachOptions options{.interactive = flags.interactive, .forward_signals = flags.signal_proxy};
  options.detach_keys = TRY(parse_detach_keys(flags.detach_keys));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  Result<engine::LockedContainer> locked = lock_to_start(store, record);
  if (!locked && runs(store, record.id)) return attach_running(store, record, std::move(options), true);
  engine::LockedContainer container = TRY(std::move(locked));
  const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(container.record.spec));
  const monitor::TerminalSize size = spec.terminal ? engine::terminal_size() : monitor::TerminalSize{};
  const engine::CallerSignals signals = TRY(engine::CallerSignals::take());
  engine::StartedAgain started = TRY(engine::start_again(store, container,
                                                         {.interactive = flags.interactive,
                                                          .rows = size.rows,
                                                          .columns = size.columns,
                                                          .signals = signals.fd(),
                                                          .announce = announce_translation}));
  for (const std::string& warning : started.session.warnings) log::warn("{}", warning);
  container.lock.release();  // the monitor has it now
  options.interactive = options.interactive && spec.interactive;
  options.terminal = spec.terminal;
  return engine::attach_to_end(store, container.record, started.session, signals, options);
}

}  // namespace

Result<> start_detached(store::Store& store, const store::ContainerRecord& record) {
  const Result<engine::LockedContainer> container = lock_to_start(store, record);
  // One that runs is what was asked for.
  if (!container && runs(store, record.id)) return {};
  if (!container) return std::unexpected(container.error());
  const engine::CallerSignals signals = TRY(engine::CallerSignals::take());
  // Whoever attaches to it later may have input.
  const engine::StartedAgain started = TRY(engine::start_again(
      store, *container,
      {.interactive = true, .detached = true, .signals = signals.fd(), .announce = announce_translation}));
  for (const std::string& warning : started.session.warnings) log::warn("{}", warning);
  return {};
}

Result<int> start(const Invocation& invocation) {
  StartFlags flags;
  Flags line(
      invocation, "[flags] CONTAINER [CONTAINER...]",
      "Starts containers that were made or have ended, each with its own bank, files and settings. Prints "
      "what was\n"
      "asked for, a line each. One that runs already is left as it is.\n"
      "With --attach it stays with the container, and the exit status is the process's own, as with "
      "`berth run`.",
      "  berth start web db\n  berth start --attach job\n  berth start -ai shell\n");
  line.flag("-a,--attach", flags.attach, "Show its output and pass signals on");
  line.flag("-i,--interactive", flags.interactive, "Stay with it, and pass the standard input on");
  line.flag("--sig-proxy", flags.signal_proxy, "Pass signals on to the process (default)");
  line.value("--detach-keys", flags.detach_keys,
             "What to type to leave a terminal (default ctrl-p,ctrl-q; empty: nothing)");
  line.words("containers", flags.names, Need::required);
  if (!TRY(line.parse())) return 0;
  const bool stays = flags.attach || flags.interactive;
  if (stays && flags.names.size() > 1)
    return fail(Code::usage, "berth start --attach takes one container, and here are {}", flags.names.size());
  store::Store store = TRY(open_recovered_store(invocation));
  if (stays) return start_attached(store, flags.names.front(), flags);
  return for_each_container(store, {.names = flags.names},
                            [&](const auto& record) { return start_detached(store, record); });
}

}  // namespace berth::cli
