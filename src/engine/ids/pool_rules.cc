#include "engine/ids/pool_rules.h"

#include "config/policy_checks.h"

namespace berth::engine {

ledger::HostSources host_under(const config::Config& config) {
  ledger::HostSources host;
  host.rules = {config.policy.allowed_ranges.value, config::allowed_ranges_text(config),
                config.policy.bank_rest.value.count()};
  return host;
}

}  // namespace berth::engine
