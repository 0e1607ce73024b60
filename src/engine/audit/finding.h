// What an audit finds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::engine {

enum class Severity {
  high,    // somebody can use IDs, or files, that are another's
  medium,  // nobody but what was asked for has less than berth can give
  low,     // it was asked for, or something else still stands in between
};

enum class FindingKind {
  account_in_bank,      // a user or group of the host has an ID that a container has
  subordinate_in_bank,  // so has a line of /etc/subuid or /etc/subgid
  foreign_namespace,    // so has a user namespace that berth did not make
  process_in_bank,      // a process outside all containers runs as one
  shared_map,           // two containers map the same IDs, and share no bank
  host_namespace,       // a container has the host's users or network
  ownerless_process,    // a process runs as an ID that is nobody's
  unmapped_file,        // a file in a volume belongs to an ID that no user of the volume has
  open_directory,       // a directory of the store that a user of the host can enter
};

// Every kind, in the order in which findings are shown.
inline constexpr FindingKind kFindingKinds[] = {
    FindingKind::account_in_bank,   FindingKind::subordinate_in_bank, FindingKind::foreign_namespace,
    FindingKind::process_in_bank,   FindingKind::shared_map,          FindingKind::host_namespace,
    FindingKind::ownerless_process, FindingKind::unmapped_file,       FindingKind::open_directory,
};

// "account-in-bank".
std::string_view word_for(FindingKind kind);
std::string_view word_for(Severity severity);

// Where it can be seen: "line" and "/etc/passwd:12", "process" and "17 (sh)", "path", "ids", "flag".
struct Evidence {
  std::string_view what;  // a literal
  std::string value;
};

// Texts may hold what others chose (names, commands): make them printable before they are shown.
struct Finding {
  Severity severity = Severity::medium;
  FindingKind kind = FindingKind::account_in_bank;
  std::string what{};
  std::vector<Evidence> evidence{};
  std::string remedy{};
};

}  // namespace berth::engine
