#include "runtime/await_start.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/protocol.h"
#include "sys/channel.h"
#include "sys/descriptor_path.h"
#include "sys/sealed_program.h"

namespace berth::runtime {

namespace {

// sun_path is short; a name below a descriptor always fits.
Result<sockaddr_un> address_of(int directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = sys::descriptor_path(directory, name);
  if (path.size() >= sizeof address.sun_path) return fail("the name {} is too long for a socket", name);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<sys::UniqueFd> new_socket() {
  sys::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "make a socket");
  return socket;
}

}  // namespace

Result<sys::UniqueFd> make_start_socket(int directory, const std::string& name) {
  const sockaddr_un address = TRY(address_of(directory, name));
  sys::UniqueFd socket = TRY(new_socket());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno(errno, "make the socket {}", name);
  return socket;
}

Result<StartOrder> await_start(sys::Channel& socket) {
  while (true) {
    sys::Message order = TRY_CONTEXT(socket.receive(2), "wait to be started");
    if (order.data.empty() || order.fds.size() != 2) continue;
    return StartOrder{std::move(order.fds[0]), std::move(order.fds[1])};
  }
}

Result<> order_start(int directory, const std::string& name, const std::string& state,
                     const std::string& command) {
  const sockaddr_un address = TRY(address_of(directory, name));
  sys::UniqueFd socket = TRY(new_socket());
  int connected = 0;
  do {
    connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (connected != 0 && errno == EINTR);
  if (connected != 0 && (errno == ECONNREFUSED || errno == ENOENT))
    return fail(Code::conflict, "it is not waiting to be started");
  if (connected != 0) return fail_errno(errno, "reach the container's process");
  // From here on it is no longer one that waits.
  if (::unlinkat(directory, name.c_str(), 0) != 0) return fail_errno(errno, "remove the socket {}", name);
  auto [connection, theirs] = TRY(sys::Channel::make_pair());
  const sys::UniqueFd state_file = TRY(sys::make_memory_file("state", state));
  TRY(sys::Channel(std::move(socket)).send("start", {theirs.fd(), state_file.get()}));
  theirs.close();
  const sys::Message answer = TRY(connection.receive());
  if (answer.data.empty()) return {};
  return std::unexpected(failure_from(command, answer.data));
}

}  // namespace berth::runtime
