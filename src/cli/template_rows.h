// What a command prints for --format with a template.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"

namespace berth::cli {

// Prints a line for each element of an array, or with "table …" columns, under a heading if that is wanted.
// Control characters are made visible, but for tabs and line ends. Code::usage as Template has it.
Result<> print_template(const nlohmann::ordered_json& rows, std::string_view format, bool heading);

}  // namespace berth::cli
