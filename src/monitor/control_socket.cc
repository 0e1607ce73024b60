#include "monitor/control_socket.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/descriptor_path.h"

namespace berth::monitor {

namespace {

constexpr int kMostWaiting = 64;

// By the directory's descriptor: its own path may be longer than sun_path takes (unix(7)).
Result<sockaddr_un> address(int state) {
  const std::string path = sys::descriptor_path(state, kControlSocket);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail("the path of a control socket is too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<sys::UniqueFd> make_socket(int flags) {
  sys::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket) return fail_errno(errno, "make a control socket");
  return socket;
}

}  // namespace

Result<sys::UniqueFd> listen_for_clients(int state) {
  const sockaddr_un place = TRY(address(state));
  sys::UniqueFd socket = TRY(make_socket(SOCK_NONBLOCK));
  ::unlinkat(state, kControlSocket, 0);
  // Whatever the caller's umask: for root alone, from the first moment on.
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place);
  const int err = errno;
  ::umask(mask);
  if (bound != 0) return fail_errno(err, "make the container's control socket");
  if (::listen(socket.get(), kMostWaiting) != 0) return fail_errno(errno, "listen at the control socket");
  return socket;
}

sys::Channel accept_client(int socket) {
  return sys::Channel(sys::UniqueFd(::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC)));
}

Result<sys::Channel> connect_to_monitor(int state) {
  const sockaddr_un place = TRY(address(state));
  sys::UniqueFd socket = TRY(make_socket(0));
  int connected = 0;
  do {
    connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place);
  } while (connected != 0 && errno == EINTR);
  if (connected != 0) return fail_errno(errno, "reach the container's monitor");
  return sys::Channel(std::move(socket));
}

}  // namespace berth::monitor
