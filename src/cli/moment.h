// Moments as a person names them, to the nanosecond: --since and --until.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace berth::cli {

// Nanoseconds since 1970 of "2026-01-31T12:00:00.5+01:00" (RFC 3339), of a number of seconds since 1970
// ("1769860800", "1769860800.25"), of how long before `now` it was ("10m", "1h30m", "1.5s", "250ms"; "-10m"
// is still to come), and of a local time without a zone, as parse_moment() has it. None if it is none of
// these, or too far away for 64 bits.
std::optional<int64_t> parse_moment_nanoseconds(std::string_view text, int64_t now);

// The moment of a flag; nullopt for an empty text. Code::usage with the forms that there are.
Result<std::optional<int64_t>> moment_of_flag(std::string_view flag, std::string_view text);

}  // namespace berth::cli
