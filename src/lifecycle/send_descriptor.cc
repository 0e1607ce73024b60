#include "lifecycle/send_descriptor.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::lifecycle {

namespace {

Result<sys::UniqueFd> connect_to(const std::string& path) {
  constexpr timeval kPatience{5, 0};
  sys::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "make a socket");
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  // By descriptor: a path may be longer than an address is.
  const sys::UniqueFd file = TRY(sys::open_at(AT_FDCWD, path, O_PATH));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string by_descriptor = sys::descriptor_path(file.get());
  std::memcpy(address.sun_path, by_descriptor.c_str(), by_descriptor.size() + 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno(errno, "connect to {}", path);
  return socket;
}

// How much of the data went with it.
Result<size_t> send_first(int socket, int fd, std::string_view data) {
  iovec bytes{const_cast<char*>(data.data()), data.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  if (sent < 0) return fail_errno(errno, "send it");
  return static_cast<size_t>(sent);
}

}  // namespace

Result<> send_descriptor(const std::string& path, const sys::UniqueFd& fd, std::string_view data) {
  const sys::UniqueFd socket = TRY(connect_to(path));
  size_t sent = TRY_CONTEXT(send_first(socket.get(), fd.get(), data), "{}", path);
  while (sent < data.size()) {
    const ssize_t more = ::send(socket.get(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (more < 0 && errno != EINTR) return fail_errno(errno, "write to {}", path);
    if (more > 0) sent += static_cast<size_t>(more);
  }
  return {};
}

}  // namespace berth::lifecycle
