// Times and ages as people and programs read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::cli {

// "5 seconds", "3 weeks", "23 months"; what is less than nothing is none.
std::string time_span(std::chrono::seconds span);

// How long ago it was, in time_span()'s words.
std::string time_since(std::chrono::nanoseconds since_1970);

// A time since 1970 with the digits that its unit has: "2026-01-31T12:00:00Z",
// "2026-01-31T12:00:00.123456789Z".
std::string rfc3339(std::chrono::seconds since_1970);
std::string rfc3339(std::chrono::nanoseconds since_1970);

// Seconds since 1970 of "2026-01-31T12:00:00.5+01:00"; none if it is no time.
std::optional<int64_t> parse_rfc3339(std::string_view text);

// Seconds since 1970 of a moment that a person names: such a number, how long before `now` it was ("10m",
// "1h30m"), "2026-01-31T12:00:00+01:00", and without a zone, in the local one, "2026-01-31T12:00:00",
// "2026-01-31T12:00" or "2026-01-31". None if it is none of these.
std::optional<int64_t> parse_moment(std::string_view text, int64_t now);

}  // namespace berth::cli
