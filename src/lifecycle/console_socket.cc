#include "lifecycle/console_socket.h"

#include "lifecycle/send_descriptor.h"

namespace berth::lifecycle {

Result<> send_terminal(const std::string& path, const sys::UniqueFd& terminal) {
  // Its reader wants some data with the descriptor.
  TRY_CONTEXT(send_descriptor(path, terminal, "terminal"), "--console-socket: send the terminal");
  return {};
}

}  // namespace berth::lifecycle
