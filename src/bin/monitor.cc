// berth-monitor: started by berth, once for each running container, with a channel to it as descriptor 3.
//
//     berth-monitor ID [LOG_LEVEL]
#include "monitor/monitor.h"

#include "base/log.h"

int main(int argc, char** argv) {
  constexpr int kClientFd = 3;
  if (argc > 2) berth::log::set_level(argv[2]);
  return berth::monitor::serve(berth::sys::Channel(berth::sys::UniqueFd(kClientFd)));
}
