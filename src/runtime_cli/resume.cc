// `berth-runtime resume`.
#include "lifecycle/control.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> resume_command(const Invocation& invocation) {
  return act_on_container(invocation, "Thaws the processes of a container that is paused.",
                          "  berth-runtime resume web\n", lifecycle::resume);
}

}  // namespace berth::runtime_cli
