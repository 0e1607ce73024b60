// A container's end of its networks: veth pairs, addresses, routes.
#pragma once

#include <string_view>

#include "net/plan.h"

namespace berth::net {

// Connects the network namespace (an open descriptor of /proc/PID/ns/net) to one network: makes the pair,
// with its end inside the namespace at once, gives it its addresses and routes. The bridge must be there
// (ensure_bridge()). Publishes nothing. A link of the same name that an earlier start has left is
// replaced. After an error nothing of it is left. The caller must be single-threaded: it enters the namespace
// and returns.
Result<> attach(const AttachmentPlan& plan, int network_namespace);

// Adds those of the plan's routes that the namespace does not have to an attachment that is there: the
// default route, when the network that had it is left. One to the same destination that the container has
// made stays. The caller must be single-threaded.
Result<> add_routes(const AttachmentPlan& plan, int network_namespace);

// Takes the pair away, by its end on the host; it is no error if it is gone.
Result<> detach(const AttachmentPlan& plan);

}  // namespace berth::net
