#include "engine/attach.h"

#include "base/detach_keys.h"
#include "cli/attach_running.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "engine/attach_over_restarts.h"
#include "engine/container/container_spec.h"
#include "engine/join.h"

namespace berth::cli {

Result<int> attach_running(store::Store& store, const store::ContainerRecord& record,
                           engine::AttachOptions options, bool over_restarts) {
  const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(record.spec));
  options.interactive = options.interactive && spec.interactive;
  options.terminal = spec.terminal;
  const engine::CallerSignals signals = TRY(engine::CallerSignals::take());
  engine::Session session = TRY(engine::join(store, record, true));
  if (spec.terminal) {
    // What runs inside draws itself anew, in this terminal's size.
    const monitor::TerminalSize size = engine::terminal_size();
    const auto resize = monitor::pack_value(monitor::Kind::resize, size);
    if (size.rows != 0) [[maybe_unused]]
      const Result<> sent = session.channel.send(resize);
  }
  if (over_restarts && spec.restart.any()) {
    session.started.started_at = record.started_at.value_or(0);
    return engine::attach_over_restarts(store, record, session, signals, options);
  }
  const engine::Attachment attachment = TRY(engine::attach(session, signals, options));
  if (attachment.left == engine::Left::detached) return 0;
  constexpr int kSignalled = 128;  // as a shell has it
  if (attachment.left == engine::Left::interrupted) return kSignalled + attachment.signal;
  session.channel.close();
  if (attachment.left == engine::Left::lost && !engine::ends_soon(session.monitor.get()))
    return engine::left_behind(record);
  const std::optional<store::ContainerRecord> now = TRY(engine::await_finished(store, record));
  if (attachment.left == engine::Left::ended) return attachment.exited.status;
  if (now && now->exit_status) return static_cast<int>(*now->exit_status);
  return fail("berth-monitor was lost, and container {} was killed with it", record.name);
}

Result<int> attach(const Invocation& invocation) {
  bool no_input = false;
  bool signal_proxy = true;
  std::string keys = kUsualDetachKeys;
  std::string name;
  Flags line(
      invocation, "[flags] CONTAINER",
      "Shows what a running container writes from now on and passes input and signals on, until it ends or "
      "the detach\n"
      "keys are typed. Several may be attached. The exit status is the process's own.",
      "  berth attach shell\n  berth attach --no-stdin --sig-proxy=false web     only looks\n");
  line.flag("--no-stdin", no_input, "Do not pass the standard input on");
  line.flag("--sig-proxy", signal_proxy, "Pass signals on to the process (default)");
  line.value("--detach-keys", keys,
             "What to type to leave a terminal (default ctrl-p,ctrl-q; empty: nothing)");
  line.word("container", name, Need::required);
  if (!TRY(line.parse())) return 0;
  engine::AttachOptions options{
      .interactive = !no_input, .forward_signals = signal_proxy, .leave_on_signal = true};
  options.detach_keys = TRY(parse_detach_keys(keys));
  store::Store store = TRY(open_recovered_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  Result<int> status = attach_running(store, record, std::move(options), false);
  if (!status && status.error().code == Code::conflict)
    status.error().hint = fmt::format("`berth start --attach {}` starts it.", record.name);
  return status;
}

}  // namespace berth::cli
