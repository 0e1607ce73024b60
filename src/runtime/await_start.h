// Between a container that is made and one that runs: its process waits at a socket to be told to execute its
// command. Who tells it need not be who made it, and hears on the same connection how that went.
//
//   berth-runtime start                  the container's process
//   the order: one end of a connection,
//   and a file with the state       ───▶ hooks; executes the command
//   the connection ends: it runs    ◀─── (closed by the exec), or a Failure
//
// By then the process has its seccomp filter, so it waits by recvmsg(2), which programs need, and not by
// accept(2), which many profiles leave out.
#pragma once

#include <string>

#include "base/error.h"
#include "sys/channel.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct StartOrder {
  sys::UniqueFd connection;
  sys::UniqueFd state;  // a file of what hooks get on their standard input: no message may be as long
};

// A socket to wait at, bound to `name` in a directory that only root enters.
Result<sys::UniqueFd> make_start_socket(int directory, const std::string& name);

// Inside. What is no order is passed over.
Result<StartOrder> await_start(sys::Channel& socket);

// Outside: gives the order and waits until the command has been executed, or for the reason why it was not.
// `command` is its name, for messages. Code::conflict where nobody waits any more: it was started before,
// or has gone.
Result<> order_start(int directory, const std::string& name, const std::string& state,
                     const std::string& command);

}  // namespace berth::runtime
