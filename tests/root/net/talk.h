// Who reaches whom: a message from a socket of one network namespace to one of another's, and its answer.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "namespaces.h"

namespace berth::net {

// For what arrives, and for what is expected not to.
inline constexpr int kPatienceMs = 5000;
inline constexpr int kShortPatienceMs = 300;

struct Endpoint {
  Endpoint(const Address& at, uint16_t port) {
    const std::string bytes = at.bytes();
    if (at.is_v6()) {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      bytes.copy(reinterpret_cast<char*>(&v6.sin6_addr), sizeof v6.sin6_addr);
      length = sizeof v6;
    } else {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      bytes.copy(reinterpret_cast<char*>(&v4.sin_addr), sizeof v4.sin_addr);
      length = sizeof v4;
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] std::string text() const {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    const bool is_v6 = storage.ss_family == AF_INET6;
    const std::string_view bytes(
        is_v6 ? reinterpret_cast<const char*>(&v6->sin6_addr) : reinterpret_cast<const char*>(&v4->sin_addr),
        is_v6 ? 16 : 4);
    return Address::from_bytes(bytes).value().text();
  }
  sockaddr_storage storage{};
  socklen_t length = 0;
};

inline bool wait_readable(int fd, int patience) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, patience) == 1;
}

// A service in a namespace.
class Service {
 public:
  Service(const NetworkNamespace& space, const Address& at, uint16_t port, int type = SOCK_STREAM)
      : type_(type) {
    fd_.reset(space.in([&] {
      const int fd = ::socket(at.family(), type | SOCK_CLOEXEC, 0);
      const Endpoint endpoint(at, port);
      const int on = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      EXPECT_EQ(::bind(fd, endpoint.get(), endpoint.length), 0) << at.text() << " " << port;
      if (type == SOCK_STREAM) {
        EXPECT_EQ(::listen(fd, 8), 0);
      }
      return fd;
    }));
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] int type() const { return type_; }

 private:
  sys::UniqueFd fd_;
  int type_;
};

struct Call {
  const NetworkNamespace& from;
  Address to;
  uint16_t port;
  std::optional<Address> as{};  // the sender's address
  int patience = kPatienceMs;
};

// A client's socket that is connected, as far as a datagram's can be; invalid where nobody takes the
// connection.
inline sys::UniqueFd connect_client(const Call& call, int type) {
  return call.from.in([&] {
    sys::UniqueFd fd(::socket(call.to.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (call.as) {
      const int on = 1;
      ::setsockopt(fd.get(), SOL_IP, IP_FREEBIND, &on, sizeof on);
      const Endpoint own(*call.as, 0);
      EXPECT_EQ(::bind(fd.get(), own.get(), own.length), 0) << call.as->text();
    }
    const Endpoint to(call.to, call.port);
    if (::connect(fd.get(), to.get(), to.length) == 0) return fd;
    if (errno != EINPROGRESS) return sys::UniqueFd();
    pollfd wait{fd.get(), POLLOUT, 0};
    int error = 0;
    socklen_t length = sizeof error;
    if (::poll(&wait, 1, call.patience) != 1) return sys::UniqueFd();
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? std::move(fd) : sys::UniqueFd();
  });
}

// Whether the question gets to the service. A datagram may be lost, as while a neighbour is looked for, so it
// is sent again.
inline bool ask(const sys::UniqueFd& client, const Call& call, const Service& service) {
  constexpr int kAgainMs = 250;
  const bool datagram = service.type() == SOCK_DGRAM;
  const int wait = datagram ? std::min(kAgainMs, call.patience) : call.patience;
  for (int waited = 0; waited < call.patience; waited += wait) {
    if (::send(client.get(), "question", 8, MSG_NOSIGNAL) != 8) return false;
    if (wait_readable(service.fd(), wait)) return true;
  }
  return false;
}

// Whether a message gets to the service and its answer back: then the client's address as the service sees
// it.
inline std::optional<std::string> reach(const Call& call, const Service& service) {
  const sys::UniqueFd client = connect_client(call, service.type());
  if (!client || !ask(client, call, service)) return std::nullopt;
  Endpoint peer(Address(), 0);
  peer.length = sizeof peer.storage;
  std::array<char, 16> text{};
  sys::UniqueFd accepted;
  if (service.type() == SOCK_STREAM) {
    accepted.reset(::accept4(service.fd(), peer.get(), &peer.length, SOCK_CLOEXEC));
    if (!wait_readable(accepted.get(), call.patience) ||
        ::read(accepted.get(), text.data(), text.size()) != 8)
      return std::nullopt;
    if (::send(accepted.get(), "answer", 6, MSG_NOSIGNAL) != 6) return std::nullopt;
  } else {
    if (::recvfrom(service.fd(), text.data(), text.size(), 0, peer.get(), &peer.length) != 8)
      return std::nullopt;
    // All that was asked more than once may come together.
    while (::recv(service.fd(), text.data(), text.size(), MSG_DONTWAIT) >= 0) continue;
    if (::sendto(service.fd(), "answer", 6, 0, peer.get(), peer.length) != 6) return std::nullopt;
  }
  if (!wait_readable(client.get(), call.patience) || ::read(client.get(), text.data(), text.size()) != 6)
    return std::nullopt;
  return peer.text();
}

}  // namespace berth::net
