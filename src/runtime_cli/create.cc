// `berth-runtime create`.
#include "runtime_cli/create_flags.h"

namespace berth::runtime_cli {

Result<int> create_command(const Invocation& invocation) {
  CreateFlags flags;
  flags::Flags line(
      invocation, "[flags] ID",
      "Makes a container from an OCI bundle. Its process waits, in the container, until `start`.",
      "  berth-runtime create --bundle /srv/web web\n");
  declare(line, flags);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  const lifecycle::CreateOptions options = TRY(options_of(invocation, flags));
  TRY(lifecycle::create(root, options));
  return 0;
}

}  // namespace berth::runtime_cli
