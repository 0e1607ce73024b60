#include "cli/flags.h"
#include "cli/system.h"

namespace berth::cli {

Result<int> version(const Invocation& invocation) {
  Flags line(invocation, "", "Prints berth's version.", "  berth version\n");
  if (!TRY(line.parse())) return 0;
  fmt::print("berth version {}\n", BERTH_VERSION);
  return 0;
}

}  // namespace berth::cli
