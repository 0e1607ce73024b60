// Every way in which IDs are shared on this host that should not be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/audit/finding.h"
#include "ledger/reservations.h"
#include "store/store.h"

namespace berth::engine {

struct AuditRequest {
  std::vector<FindingKind> only{};  // empty: every kind
  int64_t files = 100'000;          // in volumes, that are looked at
};

struct Audit {
  std::vector<Finding> findings{};           // by kind, in the order of kFindingKinds
  std::vector<std::string> not_looked_at{};  // where a limit has cut it short: full sentences
};

// Looks, and changes nothing. The store may be one that is opened with Privacy::not_required: that others can
// enter it is a finding.
//
// What has to do with running processes is looked at twice, a tenth of a second apart, and reported if it was
// there both times: a container that starts or ends meanwhile would look foreign.
Result<Audit> audit(store::Store& store, const AuditRequest& request, const ledger::HostSources& host = {});

}  // namespace berth::engine
