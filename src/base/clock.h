// The time of day as records keep it.
#pragma once

#include <chrono>
#include <cstdint>

namespace berth {

// In a second.
inline constexpr int64_t kNanoseconds = 1'000'000'000;

// Nanoseconds since 1970.
inline int64_t now_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace berth
