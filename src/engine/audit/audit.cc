#include "engine/audit/audit.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/audit/audit_directories.h"
#include "engine/audit/audit_ids.h"
#include "engine/audit/audit_volumes.h"
#include "engine/audit/id_facts.h"

namespace berth::engine {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{100};

bool passes_quickly(FindingKind kind) {
  return kind == FindingKind::foreign_namespace || kind == FindingKind::process_in_bank ||
         kind == FindingKind::ownerless_process;
}

// The line of evidence that says which process or namespace it is.
bool same(const Finding& a, const Finding& b) {
  return a.kind == b.kind && !a.evidence.empty() && !b.evidence.empty() &&
         a.evidence.front().value == b.evidence.front().value;
}

Result<> confirm(store::Store& store, const ledger::HostSources& host, std::vector<Finding>& findings) {
  if (std::ranges::none_of(findings, passes_quickly, &Finding::kind)) return {};
  std::this_thread::sleep_for(kBetweenLooks);
  const std::vector<Finding> again = audit_ids(TRY(look_at_ids(store, host)), host.knows_user);
  std::erase_if(findings, [&](const Finding& finding) {
    return passes_quickly(finding.kind) &&
           std::ranges::none_of(again, [&](const Finding& other) { return same(finding, other); });
  });
  return {};
}

}  // namespace

Result<Audit> audit(store::Store& store, const AuditRequest& request, const ledger::HostSources& host) {
  const auto wanted = [&](FindingKind kind) {
    return request.only.empty() || std::ranges::find(request.only, kind) != request.only.end();
  };
  Audit result;
  const IdFacts facts = TRY(look_at_ids(store, host));
  result.findings = audit_ids(facts, host.knows_user);
  std::erase_if(result.findings, [&](const Finding& finding) { return !wanted(finding.kind); });
  TRY(confirm(store, host, result.findings));
  if (wanted(FindingKind::unmapped_file)) {
    VolumeAudit volumes = TRY(audit_volumes(store.root(), store.locations().root, facts, request.files));
    std::ranges::move(volumes.findings, std::back_inserter(result.findings));
    result.not_looked_at = std::move(volumes.not_looked_at);
  }
  if (wanted(FindingKind::open_directory)) {
    std::ranges::move(TRY(audit_directories(store)), std::back_inserter(result.findings));
  }
  return result;
}

}  // namespace berth::engine
