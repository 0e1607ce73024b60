// The commands about networks.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> create_network(const Invocation& invocation);
Result<int> list_networks(const Invocation& invocation);
Result<int> inspect_networks(const Invocation& invocation);
Result<int> network_exists(const Invocation& invocation);
Result<int> connect_network(const Invocation& invocation);
Result<int> disconnect_network(const Invocation& invocation);
Result<int> remove_networks(const Invocation& invocation);
Result<int> prune_networks(const Invocation& invocation);
}  // namespace berth::cli
