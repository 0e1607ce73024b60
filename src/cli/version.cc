#include <CLI/CLI.hpp>

#include "cli/system.h"

namespace berth::cli {

Result<int> version(const Invocation& invocation) {
  CLI::App app;
  describe(app, invocation, "", "Prints berth's version.", "  berth version\n");
  if (!TRY(parse(app, invocation))) return 0;
  fmt::print("berth version {}\n", BERTH_VERSION);
  return 0;
}

}  // namespace berth::cli
