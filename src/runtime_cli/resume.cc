// `berth-runtime resume`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> resume_command(const Invocation& invocation) {
  std::string id;
  flags::Flags line(invocation, "ID", "Thaws the processes of a container that is paused.",
                    "  berth-runtime resume web\n");
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  TRY(lifecycle::resume(root, id));
  return 0;
}

}  // namespace berth::runtime_cli
