// `berth-runtime pause`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> pause_command(const Invocation& invocation) {
  std::string id;
  flags::Flags line(invocation, "ID", "Freezes all processes of a container.", "  berth-runtime pause web\n");
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  TRY(lifecycle::pause(root, id));
  return 0;
}

}  // namespace berth::runtime_cli
