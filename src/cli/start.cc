#include "engine/start.h"

#include "base/log.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/translation_text.h"
#include "config/load.h"
#include "engine/attach.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/kept_groups.h"
#include "engine/ids/namespaces.h"
#include "engine/ids/project_rules.h"
#include "engine/remove.h"
#include "engine/volumes/open_directories.h"

namespace berth::cli {

Result<int> start(const Invocation& invocation) {
  bool attach = false;
  bool interactive = false;
  bool signal_proxy = true;
  std::string name;
  Flags line(
      invocation, "--attach [flags] CONTAINER",
      "Starts a container that was made or has ended, with its own bank, files and settings, and stays "
      "with it.\n"
      "The exit status is the process's own, as with `berth run`.",
      "  berth start --attach job\n  berth start -ai shell\n");
  line.flag("-a,--attach", attach, "Show its output and pass signals on (needed in this version)");
  line.flag("-i,--interactive", interactive, "Pass the standard input on");
  line.flag("--sig-proxy", signal_proxy, "Pass signals on to the process (default)");
  line.word("container", name, Need::required);
  if (!TRY(line.parse())) return 0;
  if (!attach && !interactive) {
    Error error{Code::usage, 0, "this version starts containers in the foreground only", {}};
    return std::unexpected(std::move(error).with_hint(fmt::format("`berth start --attach {}` does.", name)));
  }
  store::Store store = TRY(open_recovered_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  engine::LockedContainer container = TRY(engine::lock_container(store, record));
  const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(container.record.spec));
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  TRY_CONTEXT(engine::check_recorded(container.record, spec, config), "cannot start \"{}\"",
              container.record.name);
  const engine::IdDecision ids = TRY(engine::recorded_maps(container.record));
  TRY_CONTEXT(engine::check_open_directories(spec, ids.users, config), "cannot start \"{}\"",
              container.record.name);
  const store::ImageRecord image = TRY(store::find_image(store, container.record.image_id));
  TRY_CONTEXT(
      engine::check_project_still(store.db(), config, engine::caller_from_environment().name, image, spec),
      "cannot start \"{}\"", container.record.name);
  TRY_CONTEXT(engine::take_kept_groups(spec, config, engine::caller_from_environment()),
              "cannot start \"{}\"", container.record.name);
  const runtime::Namespaces namespaces = TRY_CONTEXT(engine::namespaces_of(store, container.record, spec),
                                                     "cannot start \"{}\"", container.record.name);
  engine::MonitorProcess monitor = TRY(engine::spawn_monitor(container.record.id, namespaces));
  const monitor::TerminalSize size = spec.terminal ? engine::terminal_size() : monitor::TerminalSize{};
  const engine::CallerSignals signals = TRY(engine::CallerSignals::take());
  engine::Session session = TRY(engine::start_container(store, container, std::move(monitor), image,
                                                        {.interactive = interactive && spec.interactive,
                                                         .rows = size.rows,
                                                         .columns = size.columns,
                                                         .signals = signals.fd(),
                                                         .announce = announce_translation}));
  for (const std::string& warning : session.warnings) log::warn("{}", warning);
  TRY(store::set_container_started(store.db(), container.record.id, session.started.started_at));
  container.lock.release();  // the monitor has it now
  const monitor::Exited exited = TRY(engine::attach(session, signals,
                                                    {.interactive = interactive && spec.interactive,
                                                     .terminal = spec.terminal,
                                                     .forward_signals = signal_proxy}));
  TRY(engine::finish_container(store, container.record, session.monitor.get(), exited));
  return exited.status;
}

}  // namespace berth::cli
