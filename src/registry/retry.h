// When to try a request again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "registry/failure.h"

namespace berth::registry {

struct RetryOptions {
  int retries = 3;                                                  // after the first try
  std::chrono::milliseconds first_delay = std::chrono::seconds(1);  // doubled each time
  std::chrono::milliseconds longest_delay = std::chrono::seconds(30);
};

// Exponential back-off with jitter: the n-th delay is between half of and the whole first_delay * 2^n, so
// that many clients do not come back at once. A server's Retry-After is kept to, up to two minutes; beyond
// that there is no further try.
class RetryPlan {
 public:
  // `seed` makes the jitter.
  RetryPlan(RetryOptions options, uint32_t seed) : options_(options), random_(seed) {}

  // How long to wait before the next try; none if there is to be none.
  std::optional<std::chrono::milliseconds> next(const Failure& failure);
  // There was progress: count from the beginning.
  void reset() { tried_ = 0; }
  [[nodiscard]] int tried() const { return tried_; }

 private:
  RetryOptions options_;
  uint32_t random_;
  int tried_ = 0;
};

// The delay that a Retry-After header asks for: seconds, or an HTTP date compared with `now` (seconds since
// 1970).
std::optional<std::chrono::seconds> parse_retry_after(const std::string& value, int64_t now);

}  // namespace berth::registry
