// JSON as commands print it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace berth::cli {

// `indent` spaces a level, -1 for one line. Control characters stand as \u escapes, DEL and U+0080 to U+009F
// among them: JSON lets those stand as they are, and a terminal takes orders from them.
std::string json_text(const nlohmann::ordered_json& document, int indent);

// With four spaces a level, as podman has it, and a line's end.
void print_json(const nlohmann::ordered_json& document);

}  // namespace berth::cli
