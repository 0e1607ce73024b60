// A template's tree and an object, as text.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/template_tree.h"
#include "cli/template_value.h"

namespace berth::cli::templates {

// Code::usage with the place for what the object does not have or a function can't take. A million steps and
// 16 MiB are the most, so that no template goes on for ever.
Result<std::string> evaluate(const Nodes& nodes, const Json& object);

}  // namespace berth::cli::templates
