// What the configuration says of the banks that are given out.
#pragma once

#include "config/config.h"
#include "ledger/reservations.h"

namespace berth::engine {

// The host's own sources with the policy's rules, for whoever takes banks from the ledger.
ledger::HostSources host_under(const config::Config& config);

}  // namespace berth::engine
