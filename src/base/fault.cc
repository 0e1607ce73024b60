#include "base/fault.h"

#ifdef BERTH_FAULT_POINTS
#include <csignal>
#include <cstdlib>

namespace berth::fault {

void point(std::string_view name) {
  const char* wanted = std::getenv("BERTH_FAULT");
  if (wanted == nullptr || name != wanted) return;
  std::raise(SIGKILL);
  // PID 1 of a namespace can't be killed from inside.
  constexpr int kKilled = 137;
  std::_Exit(kKilled);
}

}  // namespace berth::fault
#endif
