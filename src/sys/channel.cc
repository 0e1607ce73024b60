#include "sys/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace berth::sys {

namespace {
constexpr size_t kMaxFds = 64;
}

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return fail_errno(errno, "make a socket pair");
  }
  return std::pair(Channel(UniqueFd(fds[0])), Channel(UniqueFd(fds[1])));
}

Result<> Channel::send(std::string_view data, std::vector<int> fds) {
  if (data.empty() || data.size() > kMaxMessage || fds.size() > kMaxFds) {
    return fail("a message of {} bytes with {} descriptors can't be sent", data.size(), fds.size());
  }
  iovec part{const_cast<char*>(data.data()), data.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control{};
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno(errno, "send a message");
  return {};
}

Result<Message> Channel::receive(size_t max_fds) {
  Message message;
  iovec part{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control{};
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  // Without zeroes first: most messages are short, and pages that nobody touches cost nothing.
  message.data.resize_and_overwrite(kMaxMessage, [&](char* buffer, size_t size) {
    part = {buffer, size};
    // The kernel tells once of an other end that went with messages unread; what it had sent before that is
    // still there, and then the end.
    bool told = false;
    do {
      got = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && (errno == EINTR || (errno == ECONNRESET && !std::exchange(told, true))));
    return static_cast<size_t>(std::max<ssize_t>(got, 0));
  });
  if (got < 0) return fail_errno(errno, "receive a message");
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      message.fds.emplace_back(fd);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return fail("a message was longer than it may be");
  if (message.fds.size() > max_fds)
    return fail("a message brought {} unexpected descriptors", message.fds.size());
  return message;
}

bool Channel::has_message() const {
  pollfd peer{fd_.get(), POLLIN, 0};
  return ::poll(&peer, 1, 0) > 0;
}

bool Channel::peer_is_gone() const {
  pollfd peer{fd_.get(), 0, 0};
  return ::poll(&peer, 1, 0) > 0 && (peer.revents & POLLHUP) != 0;
}

}  // namespace berth::sys
