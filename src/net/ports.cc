#include "net/ports.h"

#include <algorithm>
#include <cerrno>

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net/elements.h"
#include "net/nf_tables.h"

namespace berth::net {

namespace {

int socket_type(Protocol protocol) {
  return protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM;
}

int protocol_number(Protocol protocol) {
  return protocol == Protocol::sctp ? IPPROTO_SCTP : 0;
}

const char* name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::udp:
      return "udp";
    case Protocol::sctp:
      return "sctp";
    case Protocol::tcp:
      break;
  }
  return "tcp";
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const Address& address, uint16_t port) {
  SocketAddress made;
  const std::string bytes = address.bytes();
  if (address.is_v6()) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(made.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    bytes.copy(reinterpret_cast<char*>(&v6.sin6_addr), sizeof v6.sin6_addr);
    made.length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(made.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    bytes.copy(reinterpret_cast<char*>(&v4.sin_addr), sizeof v4.sin_addr);
    made.length = sizeof v4;
  }
  return made;
}

std::unexpected<Error> port_taken(int err, const Address& address, uint16_t port, Protocol protocol) {
  const std::string shown = address.is_v6() ? fmt::format("[{}]", address.text()) : address.text();
  if (err == EADDRINUSE) {
    Error error =
        fail(Code::conflict, "port {}:{}/{} of the host is in use", shown, port, name_of(protocol)).error();
    return std::unexpected(std::move(error).with_hint(fmt::format(
        "`ss -lnp 'sport = :{}'` shows by whom; -p takes another port, or none for a free one.", port)));
  }
  if (err == EADDRNOTAVAIL)
    return fail(Code::usage, "the host has no address {} to publish on", address.text());
  return fail_errno(err, "reserve port {}:{}/{}", shown, port, name_of(protocol));
}

// Whether nobody listens at a port that is taken: a connection that has ended may still hold it (tcp(7),
// TIME_WAIT), which is no reason to wait. A socket that shares it with that would share it with others too,
// if it did not listen.
bool take_over(int fd, const SocketAddress& to) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&to.storage), to.length) == 0 && ::listen(fd, 0) == 0;
}

Result<sys::UniqueFd> bind_port(const Address& address, uint16_t port, Protocol protocol) {
  sys::UniqueFd fd(
      ::socket(address.family(), socket_type(protocol) | SOCK_CLOEXEC, protocol_number(protocol)));
  if (!fd) return fail_errno(errno, "open a socket");
  const int on = 1;
  // IPv4's side of the port has a socket of its own.
  if (address.is_v6()) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // What comes where rules are flushed is not to be kept.
  const int none = 0;
  if (protocol == Protocol::udp) ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &none, sizeof none);
  const SocketAddress to = socket_address(address, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) == 0) return fd;
  const int err = errno;
  if (err == EADDRINUSE && protocol == Protocol::tcp && take_over(fd.get(), to)) return fd;
  return port_taken(err, address, port, protocol);
}

// The addresses to bind: of each family, where none is named and the container has one.
std::vector<Address> host_addresses(const PublishedPort& port, const AttachmentPlan& attachment) {
  if (port.host) return {*port.host};
  std::vector<Address> found;
  for (const InterfaceAddress& own : attachment.addresses) {
    const Address all = own.address.is_v6() ? Address::v6(0, 0) : Address::v4(0);
    if (std::find(found.begin(), found.end(), all) == found.end()) found.push_back(all);
  }
  return found;
}

// A descriptor each, and some for the rest of the process.
void allow_descriptors(const NetworkPlan& plan) {
  constexpr rlim_t kOthers = 256;
  rlim_t wanted = kOthers;
  for (const AttachmentPlan& attachment : plan.attachments) {
    for (const PublishedPort& port : attachment.ports) wanted += 2 * rlim_t{port.count};
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<std::vector<sys::UniqueFd>> reserve_ports(const NetworkPlan& plan) {
  allow_descriptors(plan);
  std::vector<sys::UniqueFd> sockets;
  for (const AttachmentPlan& attachment : plan.attachments) {
    for (const PublishedPort& port : attachment.ports) {
      for (const Address& address : host_addresses(port, attachment)) {
        for (uint32_t i = 0; i < port.count; ++i) {
          const auto number = static_cast<uint16_t>(port.host_port + i);
          sockets.push_back(TRY(bind_port(address, number, port.protocol)));
        }
      }
    }
  }
  return sockets;
}

Result<uint16_t> free_port(const std::optional<Address>& host, Protocol protocol, uint16_t count) {
  constexpr int kTries = 64;
  const Address address = host.value_or(Address::v4(0));
  for (int i = 0; i < kTries; ++i) {
    // The kernel chooses a random one of those that are free.
    const sys::UniqueFd first = TRY(bind_port(address, 0, protocol));
    SocketAddress chosen;
    chosen.length = sizeof chosen.storage;
    if (::getsockname(first.get(), reinterpret_cast<sockaddr*>(&chosen.storage), &chosen.length) != 0)
      return fail_errno(errno, "find a free port");
    const uint16_t port = address.is_v6() ? ntohs(reinterpret_cast<sockaddr_in6&>(chosen.storage).sin6_port)
                                          : ntohs(reinterpret_cast<sockaddr_in&>(chosen.storage).sin_port);
    std::vector<sys::UniqueFd> others;
    bool free = uint32_t{port} + count <= 65536;
    for (uint32_t next = 1; free && next < count; ++next) {
      Result<sys::UniqueFd> other = bind_port(address, static_cast<uint16_t>(port + next), protocol);
      free = other.has_value();
      if (free) others.push_back(std::move(*other));
    }
    if (free) return port;
  }
  return fail(Code::conflict, "there are no {} free ports of the host's in a row", count);
}

Result<> publish(const NetworkPlan& plan) {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  const std::vector<Element> elements = container_elements(plan);
  const auto commit = [&](std::span<const Element> removed) {
    Transaction transaction(plan.table);
    for (const AttachmentPlan& attachment : plan.attachments)
      transaction.change(ElementChange::add, elements_of(attachment.bridge));
    transaction.change(ElementChange::remove, removed);
    transaction.change(ElementChange::add, elements);
    return transaction.commit(socket);
  };
  const Result<> done = commit({});
  if (done || (done.error().err != EEXIST && done.error().err != EBUSY)) return done;
  std::vector<Element> stale;
  for (const Element& element : elements) {
    const std::optional<Element> found = TRY(find_element(socket, plan.table, element));
    if (found && found->value != element.value) stale.push_back(element);
  }
  return commit(stale);
}

Result<> unpublish(const NetworkPlan& plan, sys::NetlinkSocket& socket) {
  const std::vector<Element> elements = container_elements(plan);
  // Those of a container whose monitor was killed may have gone to another container meanwhile, and while
  // this looks and acts, all may be flushed.
  constexpr int kTries = 3;
  Result<> removed;
  for (int i = 0; i < kTries; ++i) {
    std::vector<Element> own;
    for (const Element& element : elements) {
      const std::optional<Element> found = TRY(find_element(socket, plan.table, element));
      if (found && found->value == element.value) own.push_back(element);
    }
    Transaction transaction(plan.table);
    transaction.change(ElementChange::remove, own);
    removed = transaction.commit(socket);
    if (removed || removed.error().err != ENOENT) return removed;
  }
  return removed;
}

Result<> unpublish(const NetworkPlan& plan) {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  return unpublish(plan, socket);
}

}  // namespace berth::net
