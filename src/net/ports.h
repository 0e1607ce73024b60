// Published ports: sockets that keep them for the container, and elements of the table's maps that lead to
// it.
#pragma once

#include <optional>
#include <vector>

#include "net/plan.h"
#include "sys/netlink.h"
#include "sys/unique_fd.h"

namespace berth::net {

// Binds each of the plan's host ports, so that no other program and no other container can have it while the
// descriptors are open; nothing listens at them. Code::conflict, with a hint, where one is taken already.
Result<std::vector<sys::UniqueFd>> reserve_ports(const NetworkPlan& plan);

// A port of the host's that is free now, from its range of local ports, for `count` in a row. It may be taken
// by the time it is reserved.
Result<uint16_t> free_port(const std::optional<Address>& host, Protocol protocol, uint16_t count = 1);

// Adds the container's elements, of its addresses and its ports, and those of its networks if they are not
// there. The caller has the ports reserved, so an element that is there is a dead container's, and is
// replaced. Error::err is ENOENT where the table is gone (rules.h).
Result<> publish(const NetworkPlan& plan);

// Takes away those of the container's elements that lead to this container and not to another one; no error
// if they or the table are gone. By a socket of NETLINK_NETFILTER's: as long as that is open it takes
// microseconds, and then its end waits until all processors have let go of what was removed, some 10 ms. So
// who has somebody waiting closes it later.
Result<> unpublish(const NetworkPlan& plan, sys::NetlinkSocket& socket);
Result<> unpublish(const NetworkPlan& plan);

}  // namespace berth::net
