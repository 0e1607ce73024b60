// What a registry's refusals mean.
#pragma once

#include <string>
#include <string_view>

#include "registry/failure.h"
#include "registry/http.h"

namespace berth::registry {

// The failure for an answer with an unwanted status: "WHO has no such repository (HTTP 404, NAME_UNKNOWN:
// …)". Reads a little of the body, where the distribution spec puts the reason. `missing` is what a 404
// means.
Failure failure_of(Response& response, const std::string& who, std::string_view missing = "no such thing");

// The reasons in an error document of the distribution spec ("CODE: message; …"), shortened; "" if it is
// none.
std::string reasons_in(std::string_view body);

}  // namespace berth::registry
