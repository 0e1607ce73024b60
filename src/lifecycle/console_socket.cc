#include "lifecycle/console_socket.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys/file.h"

namespace berth::lifecycle {

namespace {

Result<sys::UniqueFd> connect_to(const std::string& path) {
  sys::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "make a socket");
  // By descriptor: a path may be longer than an address is.
  const sys::UniqueFd file = TRY(sys::open_at(AT_FDCWD, path, O_PATH));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string by_descriptor = fmt::format("/proc/self/fd/{}", file.get());
  std::memcpy(address.sun_path, by_descriptor.c_str(), by_descriptor.size() + 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno(errno, "connect to {}", path);
  return socket;
}

}  // namespace

Result<> send_terminal(const std::string& path, const sys::UniqueFd& terminal) {
  const sys::UniqueFd socket = TRY_CONTEXT(connect_to(path), "--console-socket");
  std::string name = "terminal";  // its reader wants some data with the descriptor
  iovec data{name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = terminal.get();
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL) < 0)
    return fail_errno(errno, "send the terminal to {}", path);
  return {};
}

}  // namespace berth::lifecycle
