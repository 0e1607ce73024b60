#include "base/fault.h"

#ifdef BERTH_FAULT_POINTS
#include <csignal>
#include <cstdlib>

namespace berth::fault {

void point(std::string_view name) {
  const char* wanted = std::getenv("BERTH_FAULT");
  if (wanted != nullptr && name == wanted) std::raise(SIGKILL);
}

}  // namespace berth::fault
#endif
