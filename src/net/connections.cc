#include "net/connections.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <set>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "sys/netlink.h"

namespace berth::net {

namespace {

constexpr uint16_t message_type(uint16_t message) {
  return static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message);
}

nfgenmsg header(int family) {
  return {static_cast<uint8_t>(family), NFNETLINK_V0, 0};
}

std::string_view attribute_of(std::string_view payload, uint16_t type) {
  return sys::find_attribute(payload, sizeof(nfgenmsg), type);
}

std::optional<Address> address_in(std::string_view tuple, uint16_t v4, uint16_t v6) {
  const std::string_view addresses = sys::find_attribute(tuple, 0, CTA_TUPLE_IP);
  const std::string_view bytes = sys::find_attribute(addresses, 0, v4);
  return Address::from_bytes(bytes.empty() ? sys::find_attribute(addresses, 0, v6) : bytes);
}

// The kernel lists those of UDP alone from Linux 5.8 on, of one family, and all of that before.
void request_list(sys::NetlinkRequests& requests, int family) {
  constexpr uint32_t kByProtocol = 1U << 3;  // CTA_FILTER_FLAG_CTA_PROTO_NUM
  requests.message(message_type(IPCTNL_MSG_CT_GET), NLM_F_DUMP, header(family));
  const size_t tuple = requests.open(CTA_TUPLE_ORIG);
  const size_t protocol = requests.open(CTA_TUPLE_PROTO);
  requests.number(CTA_PROTO_NUM, uint8_t{IPPROTO_UDP});
  requests.close(protocol);
  requests.close(tuple);
  const size_t filter = requests.open(CTA_FILTER);
  requests.number(CTA_FILTER_ORIG_FLAGS, kByProtocol);
  requests.close(filter);
}

// The one that was listed, and not another one that has come in its place.
Result<> forget(sys::NetlinkSocket& socket, int family, std::string_view payload) {
  sys::NetlinkRequests request;
  request.message(message_type(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, header(family));
  for (const uint16_t type : {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID}) {
    const std::string_view value = attribute_of(payload, type);
    if (value.empty()) continue;
    request.attribute(type == CTA_TUPLE_ORIG ? type | NLA_F_NESTED : type, value);
  }
  const sys::NetlinkAnswer answer = TRY(socket.exchange(request)).front();
  if (answer.err == 0 || answer.err == ENOENT) return {};
  return sys::fail_answer(answer, "forget a connection");
}

Result<> forget_of_family(int family, const std::function<bool(const Connection&)>& chosen) {
  sys::NetlinkSocket listing = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  sys::NetlinkSocket forgetting = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  sys::NetlinkRequests request;
  request_list(request, family);
  Result<> failed;
  TRY(listing.list(request, [&](const sys::NetlinkMessage& message) {
    const std::optional<Connection> connection = connection_in(message.payload);
    if (!connection || !chosen(*connection)) return;
    Result<> done = forget(forgetting, family, message.payload);
    if (!done) failed = std::move(done);
  }));
  return failed;
}

// The container's own address there, of the family.
const Address* first_address(const AttachmentPlan& attachment, int family) {
  const auto found = std::ranges::find_if(
      attachment.addresses, [&](const InterfaceAddress& own) { return own.address.family() == family; });
  return found == attachment.addresses.end() ? nullptr : &found->address;
}

// In the families of the container's addresses. They are forgotten as they are listed: there may be as many
// as clients choose to make.
Result<> forget_those(const NetworkPlan& plan, const std::function<bool(const Connection&)>& chosen) {
  for (const int family : {AF_INET, AF_INET6}) {
    const bool has = std::ranges::any_of(
        plan.attachments, [&](const auto& one) { return first_address(one, family) != nullptr; });
    if (has) TRY(forget_of_family(family, chosen));
  }
  return {};
}

// Whether the address is one of the host's own.
class OwnAddresses {
 public:
  // One of NETLINK_ROUTE.
  explicit OwnAddresses(sys::NetlinkSocket socket) : socket_(std::move(socket)) {}
  bool have(const Address& address) {
    if (local_.contains(address)) return true;
    rtmsg asked{};
    asked.rtm_family = static_cast<uint8_t>(address.family());
    asked.rtm_dst_len = static_cast<uint8_t>(address.bits());
    sys::NetlinkRequests request;
    request.message(RTM_GETROUTE, NLM_F_ACK, asked);
    request.attribute(RTA_DST, address.bytes());
    const auto take = [&](const sys::NetlinkMessage& message) {
      const auto route = sys::leading<rtmsg>(message.payload);
      if (message.type == RTM_NEWROUTE && route && route->rtm_type == RTN_LOCAL) local_.insert(address);
    };
    return socket_.exchange(request, take).has_value() && local_.contains(address);
  }

 private:
  sys::NetlinkSocket socket_;
  std::set<Address> local_;
};

bool publishes_udp(const AttachmentPlan& attachment) {
  return std::ranges::any_of(attachment.ports,
                             [](const PublishedPort& port) { return port.protocol == Protocol::udp; });
}

bool is_to(const PublishedPort& port, const Connection& connection) {
  if (port.protocol != Protocol::udp) return false;
  if (port.host && !port.host->is_unspecified() && *port.host != connection.to) return false;
  return connection.to_port >= port.host_port && connection.to_port - port.host_port < port.count;
}

}  // namespace

std::optional<Connection> connection_in(std::string_view payload) {
  const std::string_view asked = attribute_of(payload, CTA_TUPLE_ORIG);
  const std::string_view answered = attribute_of(payload, CTA_TUPLE_REPLY);
  const std::string_view protocol = sys::find_attribute(asked, 0, CTA_TUPLE_PROTO);
  const auto number = sys::leading<uint8_t>(sys::find_attribute(protocol, 0, CTA_PROTO_NUM));
  const auto port = sys::leading<uint16_t>(sys::find_attribute(protocol, 0, CTA_PROTO_DST_PORT));
  if (!number || *number != IPPROTO_UDP || !port) return std::nullopt;
  const std::optional<Address> from = address_in(asked, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  const std::optional<Address> to = address_in(asked, CTA_IP_V4_DST, CTA_IP_V6_DST);
  const std::optional<Address> answering = address_in(answered, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  if (!from || !to || !answering) return std::nullopt;
  return Connection{*from, *to, ntohs(*port), *answering};
}

Result<> forget_connections_of(const NetworkPlan& plan) {
  if (!std::ranges::any_of(plan.attachments, publishes_udp)) return {};
  std::set<Address> own;
  for (const AttachmentPlan& attachment : plan.attachments) {
    for (const InterfaceAddress& address : attachment.addresses) own.insert(address.address);
  }
  return forget_those(plan, [&](const Connection& connection) {
    return own.contains(connection.answering) || own.contains(connection.from);
  });
}

Result<> forget_connections_past(const NetworkPlan& plan) {
  if (!std::ranges::any_of(plan.attachments, publishes_udp)) return {};
  OwnAddresses of_host(TRY(sys::NetlinkSocket::open(NETLINK_ROUTE)));
  const auto goes_past = [&](const AttachmentPlan& attachment, const Connection& connection) {
    const Address* const container = first_address(attachment, connection.to.family());
    return container != nullptr && connection.answering != *container &&
           std::ranges::any_of(attachment.ports, [&](const auto& port) { return is_to(port, connection); });
  };
  return forget_those(plan, [&](const Connection& connection) {
    return std::ranges::any_of(plan.attachments,
                               [&](const auto& one) { return goes_past(one, connection); }) &&
           of_host.have(connection.to);
  });
}

}  // namespace berth::net
