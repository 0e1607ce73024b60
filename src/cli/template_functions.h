// The functions of templates: Go's own ("Functions" of text/template), and what Docker and podman add to
// them.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "cli/template_place.h"
#include "cli/template_value.h"

namespace berth::cli::templates {

// Code::usage with the functions that there are, if `name` is none of them. `and` and `or`, which do not look
// at all that they are given, are among them.
Result<> check_function(Place place, std::string_view name);

// What the function gives; of one that check_function() has let pass, but for `and` and `or`. Code::usage,
// without a place, for values that it can't take.
Result<Value> call(std::string_view name, std::span<const Value> given, Workspace& space);

}  // namespace berth::cli::templates
