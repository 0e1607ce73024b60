#include "engine/audit/audit.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/nearest.h"
#include "cli/flags.h"
#include "cli/map_picture.h"
#include "cli/recovered_store.h"
#include "cli/system.h"

namespace berth::cli {

namespace {

using engine::Finding;
using engine::FindingKind;
using engine::Severity;

constexpr int kFound = 1;

constexpr std::string_view kDescription =
    "Looks for every way in which IDs are shared on this host that should not be, and for doors to the store "
    "that\n"
    "are open. Each finding says what it is, where it can be seen, and what to do about it. It changes no ID "
    "and\n"
    "no file.\n\n"
    "The exit status is 0 where nothing is found, 1 where something is, 125 where it could not be looked.\n\n"
    "Kinds, for --only:\n"
    "  account-in-bank      a user or group of the host has an ID that a container has\n"
    "  subordinate-in-bank  so has a line of /etc/subuid or /etc/subgid (lines for the name berth are "
    "berth's)\n"
    "  foreign-namespace    so has a running user namespace that berth did not make\n"
    "  process-in-bank      a process outside all containers runs as such an ID\n"
    "  shared-map           two containers map the same host IDs and share no bank\n"
    "  host-namespace       a container has the host's users or the host's network\n"
    "  ownerless-process    a process runs as an ID that nobody has: no user, bank, subordinate range, "
    "namespace\n"
    "  unmapped-file        a file in a volume belongs to an ID that no container with that volume has\n"
    "  open-directory       a directory of the store or the run root that a user of the host can enter";

struct AuditFlags {
  std::string format = "text";
  std::vector<std::string> only;
  std::optional<int64_t> files;
};

Result<std::vector<FindingKind>> kinds_of(const std::vector<std::string>& words) {
  std::vector<std::string_view> known;
  for (const FindingKind kind : engine::kFindingKinds) known.push_back(engine::word_for(kind));
  std::vector<FindingKind> kinds;
  for (const std::string& word : words) {
    const auto found = std::ranges::find(known, word);
    if (found == known.end()) {
      Error error{Code::usage, 0, fmt::format("--only: there is no kind of finding \"{}\"", word), {}};
      const std::string_view near = nearest(word, known);
      error.hint = near.empty() ? fmt::format("The kinds are {}.", fmt::join(known, ", "))
                                : fmt::format("Did you mean {}?", near);
      return std::unexpected(std::move(error));
    }
    kinds.push_back(engine::kFindingKinds[static_cast<size_t>(found - known.begin())]);
  }
  return kinds;
}

void print_json(const engine::Audit& audit) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const Finding& finding : audit.findings) {
    nlohmann::ordered_json evidence = nlohmann::ordered_json::array();
    for (const engine::Evidence& piece : finding.evidence) {
      evidence.push_back({{"what", piece.what}, {"value", piece.value}});
    }
    findings.push_back({{"severity", engine::word_for(finding.severity)},
                        {"kind", engine::word_for(finding.kind)},
                        {"what", finding.what},
                        {"evidence", std::move(evidence)},
                        {"remedy", finding.remedy}});
  }
  const nlohmann::ordered_json document = {{"findings", std::move(findings)},
                                           {"not_looked_at", audit.not_looked_at}};
  fmt::print("{}\n", document.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
}

std::string count_of(const std::vector<Finding>& findings) {
  std::vector<std::string> counts;
  for (const Severity severity : {Severity::high, Severity::medium, Severity::low}) {
    const auto count = std::ranges::count(findings, severity, &Finding::severity);
    if (count > 0) counts.push_back(fmt::format("{} {}", count, engine::word_for(severity)));
  }
  return fmt::format("{} finding{}: {}", findings.size(), findings.size() == 1 ? "" : "s",
                     fmt::join(counts, ", "));
}

void print_text(const engine::Audit& audit) {
  for (const Finding& finding : audit.findings) {
    fmt::print("{}: {}\n", engine::word_for(finding.severity), shown_name(finding.what));
    fmt::print("  {:<11} {}\n", "kind:", engine::word_for(finding.kind));
    for (const engine::Evidence& piece : finding.evidence) {
      fmt::print("  {:<11} {}\n", fmt::format("{}:", piece.what), shown_name(piece.value));
    }
    fmt::print("  {:<11} {}\n\n", "remedy:", shown_name(finding.remedy));
  }
  for (const std::string& sentence : audit.not_looked_at) fmt::print("{}\n", shown_name(sentence));
  fmt::print("{}.\n", audit.findings.empty() ? "Nothing found" : count_of(audit.findings));
}

}  // namespace

Result<int> audit(const Invocation& invocation) {
  AuditFlags flags;
  Flags line(invocation, "[flags]", kDescription,
             "  berth audit\n  berth audit --only host-namespace --only open-directory\n"
             "  berth audit --format json | jq '.findings[] | select(.severity == \"high\")'\n");
  line.list("--only", flags.only, "Only this kind of finding (repeatable)");
  line.value("--files", flags.files, "Look at so many files in volumes at most (default 100000)",
             {.shown = "N"});
  line.value("--format", flags.format, "text or json", {.choices = {"text", "json"}});
  if (!TRY(line.parse())) return 0;
  engine::AuditRequest request{.only = TRY(kinds_of(flags.only))};
  request.files = flags.files.value_or(request.files);
  if (request.files < 0) return fail(Code::usage, "--files: {} is less than 0", request.files);
  store::Store store = TRY(open_recovered_store(invocation, store::Privacy::not_required));
  const engine::Audit result = TRY_CONTEXT(engine::audit(store, request), "cannot audit this host");
  if (flags.format == "json") {
    print_json(result);
  } else {
    print_text(result);
  }
  return result.findings.empty() ? 0 : kFound;
}

}  // namespace berth::cli
