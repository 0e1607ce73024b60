// The part of the audit that looks into volumes: whose files they have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/audit/finding.h"
#include "engine/audit/id_facts.h"

namespace berth::engine {

struct VolumeAudit {
  std::vector<Finding> findings{};
  std::vector<std::string> not_looked_at{};  // full sentences
};

// Looks at no more than `most_files` files of all volumes together. On disk a file bears the ID that it has
// inside (unless the mount has an idmap= of its own), so owners are compared with the inside of the maps of
// the containers that use the volume; a volume that no container uses has nobody to be compared with. `root`
// is the store's.
//
// What is in a volume is a container's, and may change meanwhile: links are not followed, other file systems
// not entered, and directories deeper than 200 levels not either.
Result<VolumeAudit> audit_volumes(int root, const std::string& root_path, const IdFacts& facts,
                                  int64_t most_files);

}  // namespace berth::engine
