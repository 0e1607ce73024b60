// Reading JSON that must mean the same to everybody who reads it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/error.h"

namespace berth::oci {

// The values that one document may have, counting every string, number, list and object. A large
// configuration has some thousands; a value takes up to 150 bytes of memory, so the text's size alone is no
// bound.
inline constexpr size_t kMaxJsonValues = size_t{1} << 18;

// Parses a document of at most `max_bytes` as parse_json() does, in one pass, and refuses besides:
// - a member that is given twice (each reader would choose its own: RFC 8259, section 4),
// - NUL bytes in names and strings,
// - more than kMaxJsonValues values.
// Code::refused with the place in the document.
Result<nlohmann::json> parse_strict_json(std::string_view text, size_t max_bytes);

}  // namespace berth::oci
