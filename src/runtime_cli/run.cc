// `berth-runtime run`.
#include "lifecycle/control.h"
#include "lifecycle/remove.h"
#include "runtime/foreground.h"
#include "runtime_cli/create_flags.h"

namespace berth::runtime_cli {

Result<int> run_command(const Invocation& invocation) {
  CreateFlags flags;
  bool detach = false;
  bool keep = false;
  flags::Flags line(
      invocation, "[flags] ID",
      "Makes a container from an OCI bundle and starts it. In the foreground it passes signals on, waits "
      "for the end,\n"
      "deletes the container, and ends with the process's status, 128 and the signal for one that was "
      "killed.",
      "  berth-runtime run --bundle /srv/job job\n");
  declare(line, flags);
  line.flag("-d,--detach", detach, "Return once it is started");
  line.flag("--keep", keep, "Do not delete it when it has ended");
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  const lifecycle::CreateOptions options = TRY(options_of(invocation, flags));
  lifecycle::Created created = TRY(lifecycle::create(root, options, !detach));
  // From here on they are the process's.
  if (!detach) runtime::hold_signals();
  const Result<> started = lifecycle::start_created(root, created.directory, created.record);
  if (started && detach) return 0;
  const Result<runtime::ForegroundEnd> end =
      started ? runtime::wait_in_foreground(created.running) : std::unexpected(started.error());
  if (!end || !keep) {
    const Result<> removed = lifecycle::remove_container(root, flags.id, true);
    if (end && !removed) return std::unexpected(removed.error());
  }
  if (!end) return std::unexpected(end.error());
  return end->status;
}

}  // namespace berth::runtime_cli
