// The ranges of user namespaces that run on the host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_range.h"
#include "ledger/id_kind.h"

namespace berth::ledger {

// The host IDs that the user namespaces of running processes are mapped to, whoever made them. Identity
// extents are left out: they take no range from anybody. Not looked into are processes of the host's root,
// which spares kernel threads and most daemons, and those with a host UID that `ours` says is berth's own.
Result<std::vector<idmap::IdRange>> mapped_ranges(const std::string& proc,
                                                  const std::function<Result<bool>(HostUid)>& ours);

// A process that uses host IDs: as its own, or by the map of its user namespace.
struct RunningUse {
  pid_t pid = 0;
  std::string command;  // as `ps -o comm` shows it, control characters made visible
  idmap::IdRange ids;   // one for its own
};

// The first process that uses some of `range` as users, as groups or as either, identity extents left out as
// above.
Result<std::optional<RunningUse>> find_running_use(const std::string& proc, IdKind kind,
                                                   const idmap::IdRange& range);

}  // namespace berth::ledger
