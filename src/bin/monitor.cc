// berth-monitor: started by berth, once for each running container, with a channel to it as descriptor 3.
#include "monitor/monitor.h"

int main() {
  constexpr int kClientFd = 3;
  return berth::monitor::serve(berth::sys::Channel(berth::sys::UniqueFd(kClientFd)));
}
