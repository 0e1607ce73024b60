#include "cli/containers.h"
#include "cli/new_container.h"
#include "cli/run_flags.h"

namespace berth::cli {

Result<int> create(const Invocation& invocation) {
  RunFlags flags;
  Flags line(invocation, "[flags] IMAGE [COMMAND [ARG...]]",
             "Makes a container without starting it, and prints its ID. `berth start --attach` runs it.",
             "  berth create --name job debian sh -c 'date'\n  berth start --attach job\n");
  add_run_flags(line, flags);
  if (!TRY(line.parse())) return 0;
  TRY(take_image_and_command(line, invocation, flags));
  store::Store store = TRY(open_store(invocation));
  const NewContainer made = TRY(new_container(invocation, store, flags, false));
  fmt::print("{}\n", made.container.record.id);
  return 0;
}

}  // namespace berth::cli
