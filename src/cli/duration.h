// How long ago something was, in words.
#pragma once

#include <cstdint>
#include <string>

namespace berth::cli {

// "5 seconds", "3 minutes", "2 days"; `then` in nanoseconds since 1970.
std::string time_since(int64_t then);

// "2026-01-31T12:00:00.123456789Z".
std::string rfc3339(int64_t nanoseconds);

}  // namespace berth::cli
