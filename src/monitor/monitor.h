// berth-monitor: one a container. Starts it, carries its standard streams, keeps its log and records how it
// ended.
#pragma once

#include "sys/channel.h"

namespace berth::monitor {

// Serves one container, asked for over `client`, from its start to its end. Gives the program's exit status;
// errors go to the client.
int serve(sys::Channel client);

}  // namespace berth::monitor
