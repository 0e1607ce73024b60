// `berth-runtime start`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> start_command(const Invocation& invocation) {
  return act_on_container(
      invocation, "Lets the process of a created container execute its command, and returns when it has.",
      "  berth-runtime start web\n", lifecycle::start);
}

}  // namespace berth::runtime_cli
