#include "base/fault.h"

#ifdef BERTH_FAULT_POINTS
#include <csignal>
#include <cstdlib>

namespace berth::fault {

void point(std::string_view name) {
  const char* text = std::getenv("BERTH_FAULT");
  if (text == nullptr) return;
  std::string_view wanted = text;
  constexpr std::string_view kStop = "stop:";
  const bool stop = wanted.starts_with(kStop);
  if (stop) wanted.remove_prefix(kStop.size());
  if (name != wanted) return;
  if (stop) {
    std::raise(SIGSTOP);
    return;
  }
  std::raise(SIGKILL);
  // PID 1 of a namespace can't be killed from inside.
  constexpr int kKilled = 137;
  std::_Exit(kKilled);
}

}  // namespace berth::fault
#endif
