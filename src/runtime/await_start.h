// Between a container that is made and one that runs: its process waits at a socket to be told to execute its
// command. Who tells it need not be who made it, and hears on the same connection how that went.
//
//   berth-runtime start                  the container's process
//   connects                        ───▶ accepts
//   the order, with the state       ───▶ hooks; executes the command
//   the connection ends: it runs    ◀─── (closed by the exec), or a Failure
#pragma once

#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct StartOrder {
  sys::UniqueFd connection;
  std::string state;  // what hooks get on their standard input
};

// A socket to listen at, bound to `name` in a directory that only root enters.
Result<sys::UniqueFd> make_start_socket(int directory, const std::string& name);

// Inside. Connections that end without an order are passed over.
Result<StartOrder> await_start(int socket);

// Outside: gives the order and waits until the command has been executed, or for the reason why it was not.
// `command` is its name, for messages. Code::conflict where nobody listens any more: it was started before,
// or has gone.
Result<> order_start(int directory, const std::string& name, const std::string& state,
                     const std::string& command);

}  // namespace berth::runtime
