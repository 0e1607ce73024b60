#include <unistd.h>

#include "base/detach_keys.h"
#include "base/log.h"
#include "cli/containers.h"
#include "cli/new_container.h"
#include "cli/run_flags.h"
#include "cli/translation_text.h"
#include "engine/attach.h"
#include "engine/recover.h"
#include "engine/remove.h"
#include "engine/start.h"

namespace berth::cli {

namespace {

constexpr std::string_view kDescription =
    "Makes a container from an image and runs it, in a bank of user IDs of its own: in the foreground or, "
    "with "
    "--detach,\n"
    "by itself. The image is fetched first if it is not here.\n\n"
    "The exit status is the process's own, 128 + N if signal N ended it, 127 if the command does not exist "
    "in the\n"
    "image, 126 if it can't be executed, and 125 if berth itself failed.\n";
constexpr std::string_view kExamples =
    "  berth run --rm -it debian bash              a shell, as root of its own bank\n"
    "  berth run --rm -u 10000 debian id           any user ID works\n"
    "  berth run -d --name web nginx               goes on by itself; the ID is printed\n"
    "  berth run --rm -v ./src:/src:ro debian ls /src\n"
    "  echo hello | berth run --rm -i busybox cat\n";

Result<> check_terminal(const RunFlags& flags) {
  if (flags.terminal && flags.interactive && !flags.detach && ::isatty(STDIN_FILENO) == 0) {
    Error error{Code::usage, 0, "with --tty and --interactive the standard input must be a terminal", {}};
    return std::unexpected(std::move(error).with_hint("Leave out -t to pipe something into the container."));
  }
  return {};
}

// What is not needed for the start waits until it has happened.
Result<> settle_start(store::Store& store, const store::ContainerRecord& record,
                      const monitor::Started& started) {
  if (!record.remove_on_exit)
    TRY(store::confirm_container_started(store.db(), record.id, started.started_at));
  if (const Result<> recovered = engine::recover_now_and_then(store); !recovered) {
    log::debug("tidying up: {}", recovered.error().message);
  }
  store.db().fold_log();
  return {};
}

}  // namespace

Result<int> run(const Invocation& invocation) {
  RunFlags flags;
  Flags line(invocation, "[flags] IMAGE [COMMAND [ARG...]]", kDescription, kExamples);
  line.flag("-d,--detach", flags.detach, "Print the container's ID once it has started, and leave it alone");
  line.value("--detach-keys", flags.detach_keys,
             "What to type to leave a terminal (default ctrl-p,ctrl-q; empty: nothing)");
  add_run_flags(line, flags);
  if (!TRY(line.parse())) return 0;
  TRY(take_image_and_command(line, invocation, flags));
  TRY(check_terminal(flags));
  const std::string detach_keys = TRY(parse_detach_keys(flags.detach_keys));
  store::Store store = TRY(open_store(invocation));
  NewContainer made = TRY(new_container(invocation, store, flags, true));
  const bool sized = flags.terminal && !flags.detach;
  const monitor::TerminalSize size = sized ? engine::terminal_size() : monitor::TerminalSize{};
  const engine::CallerSignals signals = TRY(engine::CallerSignals::take());
  Result<engine::Session> session =
      engine::start_container(store, made.container, std::move(made.monitor), made.image,
                              {.interactive = flags.interactive,
                               .detached = flags.detach,
                               .rows = size.rows,
                               .columns = size.columns,
                               .signals = signals.fd(),
                               .announce = announce_translation});
  if (!session) {
    // A container that never ran stays, as "created", unless it was to be removed.
    if (flags.remove) TRY(engine::remove_container(store, made.container));
    return std::unexpected(session.error());
  }
  for (const std::string& warning : session->warnings) log::warn("{}", warning);
  TRY(settle_start(store, made.container.record, session->started));
  made.container.lock.release();  // the monitor has it now
  if (flags.detach) {
    fmt::print("{}\n", made.container.record.id);
    return 0;
  }
  return engine::attach_to_end(store, made.container.record, *session, signals,
                               {.interactive = flags.interactive,
                                .terminal = flags.terminal,
                                .forward_signals = flags.signal_proxy,
                                .detach_keys = detach_keys});
}

}  // namespace berth::cli
