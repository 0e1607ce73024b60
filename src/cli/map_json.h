// The host's ID space for programs: everything, nothing put together or left out.
#pragma once

#include <string>

#include "cli/map_picture.h"
#include "engine/audit/id_facts.h"

namespace berth::cli {

// With a container or a project chosen, only its containers are listed; the parts are the whole host's. ASCII
// throughout.
std::string map_as_json(const engine::IdFacts& facts, const MapChoice& choice);

}  // namespace berth::cli
