// The socket at which a running container's monitor takes more clients: below the run root, in the
// container's directory, for root alone.
#pragma once

#include "sys/channel.h"
#include "sys/unique_fd.h"

namespace berth::monitor {

inline constexpr const char* kControlSocket = "control";

// Listens; the descriptor does not block. `state` is the container's directory below the run root. A socket
// that is there already is of a monitor that was lost, and goes.
Result<sys::UniqueFd> listen_for_clients(int state);

// The next client that waits at the socket; a closed channel if there is none.
sys::Channel accept_client(int socket);

// For clients. ECONNREFUSED, ENOENT: no monitor listens there.
Result<sys::Channel> connect_to_monitor(int state);

}  // namespace berth::monitor
