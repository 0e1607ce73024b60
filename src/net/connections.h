// What the kernel remembers of connections by UDP (ctnetlink). One lasts as long as its client goes on
// sending, and its datagrams are led where the first one was, whatever the rules say by now.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/plan.h"

namespace berth::net {

struct Connection {
  Address from;  // as the first datagram had it
  Address to;
  uint16_t to_port = 0;
  Address answering;  // who got it: another than `to` where it went to a published port
};

// What IPCTNL_MSG_CT_NEW has behind its header; nullopt for one that is not of UDP.
std::optional<Connection> connection_in(std::string_view payload);

// Both look at all that the kernel remembers, some 10 ms for each family, and do nothing where the
// plan publishes no port of UDP. They are beside what anybody waits for.

// Forgets those from and to the container's addresses, which will be another's. To be called once nothing
// leads there any longer.
Result<> forget_connections_of(const NetworkPlan& plan);

// Forgets those to the container's published ports that lead elsewhere: to where it was before, or to the
// host, to which they went while it was not there. To be called once the ports lead to it.
Result<> forget_connections_past(const NetworkPlan& plan);

}  // namespace berth::net
