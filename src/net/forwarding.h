// Whether the host passes packets on from one of its interfaces to another: without that no container has a
// way out.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"

namespace berth::net {

// Turns it on for IPv4 or IPv6, for all interfaces, if it is off. A whole sentence where something was
// changed, or had to be and could not. A host that forwards IPv6 no longer listens to routers (ip-sysctl.rst,
// accept_ra), so the interfaces that do are told to go on with it.
Result<std::optional<std::string>> let_forward(bool v6);

}  // namespace berth::net
