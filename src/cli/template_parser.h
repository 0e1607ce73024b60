// Templates as trees.
#pragma once

#include <string_view>

#include "base/error.h"
#include "cli/template_tree.h"

namespace berth::cli::templates {

// Code::usage with the place: what is not the syntax of templates, a variable or a function that there is
// not, more than 64 blocks or parentheses in each other.
Result<Nodes> parse(std::string_view source);

}  // namespace berth::cli::templates
