// Names that a person gives to an image of this machine.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "oci/reference.h"

namespace berth::store {

// Whether `word`, which `reference` was parsed from, says which registry it means; else docker.io was put in
// by the parser.
bool names_registry(std::string_view word, const oci::Reference& reference);

// The full reference for a new name of an image that is here: "localhost/demo:latest" for "demo", as podman
// has it; a name with a registry is taken as it is. Code::usage for a name with a digest, or that is none.
Result<std::string> local_name(std::string_view word);

}  // namespace berth::store
