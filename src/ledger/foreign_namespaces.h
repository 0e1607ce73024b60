// The ranges of user namespaces that run on the host.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_range.h"

namespace berth::ledger {

// The host IDs that the user namespaces of running processes are mapped to, whoever made them. Identity
// extents are left out: they take no range from anybody. Not looked into are processes of the host's root,
// which spares kernel threads and most daemons, and those with a host UID that `ours` says is berth's own.
Result<std::vector<idmap::IdRange>> mapped_ranges(const std::string& proc,
                                                  const std::function<Result<bool>(HostUid)>& ours);

}  // namespace berth::ledger
