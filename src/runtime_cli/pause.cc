// `berth-runtime pause`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> pause_command(const Invocation& invocation) {
  return act_on_container(invocation, "Freezes all processes of a container.", "  berth-runtime pause web\n",
                          lifecycle::pause);
}

}  // namespace berth::runtime_cli
