// JSON as commands print it.
#pragma once

#include <nlohmann/json.hpp>

namespace berth::cli {

// Four spaces a level, as podman has it, and a line's end.
void print_json(const nlohmann::ordered_json& document);

}  // namespace berth::cli
