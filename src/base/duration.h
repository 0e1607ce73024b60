// A time span as Go programs write it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace berth {

// "5s", "1m30s", "1.5h", "250ms"; units h, m, s, ms, us, ns. nullopt for anything else, and for more than a
// year. What is less than a millisecond is cut off.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace berth
