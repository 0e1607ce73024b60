// One who talks over a network, in a container or beside it.
//
//   net_peer serve tcp|udp ADDRESS PORT     says "ready", then answers every message with the sender's
//   address, for ever net_peer ask tcp|udp ADDRESS PORT [AS]  sends a message, as the given sender if it says
//   one, and prints the answer net_peer ping ADDRESS                   an echo request without CAP_NET_RAW
//
// ask and ping end with 1 if nothing comes back within two seconds.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int kPatienceMs = 2000;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] sockaddr_in& v4() { return reinterpret_cast<sockaddr_in&>(storage); }
  [[nodiscard]] sockaddr_in6& v6() { return reinterpret_cast<sockaddr_in6&>(storage); }
};

Endpoint endpoint(const char* address, uint16_t port) {
  Endpoint made;
  if (::inet_pton(AF_INET, address, &made.v4().sin_addr) == 1) {
    made.storage.ss_family = AF_INET;
    made.v4().sin_port = htons(port);
    made.length = sizeof(sockaddr_in);
  } else if (::inet_pton(AF_INET6, address, &made.v6().sin6_addr) == 1) {
    made.storage.ss_family = AF_INET6;
    made.v6().sin6_port = htons(port);
    made.length = sizeof(sockaddr_in6);
  } else {
    give_up("no address");
  }
  return made;
}

std::string text_of(Endpoint& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = &peer.v4().sin_addr;
  if (peer.storage.ss_family == AF_INET6) bytes = &peer.v6().sin6_addr;
  ::inet_ntop(peer.storage.ss_family, bytes, text.data(), text.size());
  return text.data();
}

void await(int fd, short events) {
  pollfd wait{fd, events, 0};
  if (::poll(&wait, 1, kPatienceMs) != 1) {
    errno = ETIMEDOUT;
    give_up("wait");
  }
}

void answer_one(int fd, bool datagrams) {
  std::array<char, 64> message{};
  Endpoint peer;
  if (datagrams) {
    if (::recvfrom(fd, message.data(), message.size(), 0, peer.get(), &peer.length) < 0) return;
    const std::string text = text_of(peer);
    ::sendto(fd, text.data(), text.size(), 0, peer.get(), peer.length);
    return;
  }
  const int accepted = ::accept4(fd, peer.get(), &peer.length, SOCK_CLOEXEC);
  if (accepted < 0) return;
  const std::string text = text_of(peer);
  if (::read(accepted, message.data(), message.size()) > 0)
    ::send(accepted, text.data(), text.size(), MSG_NOSIGNAL);
  ::close(accepted);
}

[[noreturn]] void serve(bool datagrams, const char* address, uint16_t port) {
  Endpoint own = endpoint(address, port);
  const int fd = ::socket(own.storage.ss_family, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, own.get(), own.length) != 0) give_up("bind");
  constexpr int kBacklog = 64;
  if (!datagrams && ::listen(fd, kBacklog) != 0) give_up("listen");
  std::puts("ready");
  std::fflush(stdout);
  while (true) answer_one(fd, datagrams);
}

void ask(bool datagrams, const char* address, uint16_t port, const char* as) {
  Endpoint to = endpoint(address, port);
  const int fd = ::socket(to.storage.ss_family,
                          (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (as != nullptr) {
    const int on = 1;
    ::setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof on);
    Endpoint own = endpoint(as, 0);
    if (::bind(fd, own.get(), own.length) != 0) give_up("bind");
  }
  if (::connect(fd, to.get(), to.length) != 0 && errno != EINPROGRESS) give_up("connect");
  await(fd, POLLOUT);
  if (::send(fd, "question", 8, MSG_NOSIGNAL) != 8) give_up("send");
  await(fd, POLLIN);
  std::array<char, 64> answer{};
  const ssize_t length = ::read(fd, answer.data(), answer.size());
  if (length <= 0) give_up("read");
  std::printf("%.*s\n", static_cast<int>(length), answer.data());
}

void ping(const char* address) {
  Endpoint to = endpoint(address, 0);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0) give_up("socket");
  icmphdr request{};
  request.type = ICMP_ECHO;
  if (::sendto(fd, &request, sizeof request, 0, to.get(), to.length) < 0) give_up("send");
  await(fd, POLLIN);
  if (::read(fd, &request, sizeof request) < 0 || request.type != ICMP_ECHOREPLY) give_up("read");
  std::puts("alive");
}

uint16_t port_of(const char* text) {
  return static_cast<uint16_t>(std::strtoul(text, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const bool datagrams = argc > 2 && std::string_view(argv[2]) == "udp";
  if (what == "serve" && argc == 5) serve(datagrams, argv[3], port_of(argv[4]));
  if (what == "ask" && (argc == 5 || argc == 6)) {
    ask(datagrams, argv[3], port_of(argv[4]), argc == 6 ? argv[5] : nullptr);
    return 0;
  }
  if (what == "ping" && argc == 3) {
    ping(argv[2]);
    return 0;
  }
  std::fputs("net_peer serve|ask|ping: see its source\n", stderr);
  return 2;
}
