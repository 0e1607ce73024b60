// `berth-runtime start`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> start_command(const Invocation& invocation) {
  std::string id;
  flags::Flags line(invocation, "ID",
                    "Lets the process of a created container execute its command, and returns when it has.",
                    "  berth-runtime start web\n");
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  TRY(lifecycle::start(root, id));
  return 0;
}

}  // namespace berth::runtime_cli
