// `berth-runtime kill`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"
#include "sys/signal_names.h"

namespace berth::runtime_cli {

Result<int> kill_command(const Invocation& invocation) {
  std::string id;
  std::string signal = "TERM";
  bool all = false;
  flags::Flags line(invocation, "[flags] ID [SIGNAL]", "Sends a signal (TERM) to a container's process.",
                    "  berth-runtime kill web KILL\n");
  line.flag("-a,--all", all, "To all processes of the container");
  line.word("id", id, flags::Need::required);
  line.word("signal", signal, flags::Need::optional);
  if (!TRY(line.parse())) return 0;
  const std::optional<int> number = sys::signal_number(signal);
  if (!number) return fail(Code::usage, "there is no signal {}", signal);
  const lifecycle::Root root = TRY(open_root(invocation));
  TRY(lifecycle::kill(root, id, *number, all));
  return 0;
}

}  // namespace berth::runtime_cli
