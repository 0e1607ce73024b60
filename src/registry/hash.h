// The digest of bytes at hand.
#pragma once

#include <string_view>

#include "base/error.h"
#include "oci/digest.h"

namespace berth::registry {

Result<oci::Digest> digest_of(std::string_view bytes, oci::Digest::Algorithm algorithm);

}  // namespace berth::registry
