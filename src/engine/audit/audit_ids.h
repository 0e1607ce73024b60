// The part of the audit that needs only the facts. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/audit/finding.h"
#include "engine/audit/id_facts.h"

namespace berth::engine {

// `named` says whether the host's name service knows an ID that no file names; it is asked once an ID that a
// process runs as and that is nobody's otherwise.
std::vector<Finding> audit_ids(const IdFacts& facts, bool (*named)(uint32_t id));

}  // namespace berth::engine
