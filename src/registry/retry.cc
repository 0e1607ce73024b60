#include "registry/retry.h"

#include <algorithm>
#include <charconv>

#include <curl/curl.h>

namespace berth::registry {

namespace {
constexpr std::chrono::seconds kLongestRetryAfter{120};
constexpr int kMaxDoublings = 16;
}  // namespace

std::optional<std::chrono::milliseconds> RetryPlan::next(const Failure& failure) {
  if (!failure.transient || tried_ >= options_.retries) return std::nullopt;
  if (failure.retry_after && *failure.retry_after > kLongestRetryAfter) return std::nullopt;
  const int doublings = std::min(tried_++, kMaxDoublings);
  const int64_t whole = std::min(options_.first_delay.count() << doublings, options_.longest_delay.count());
  random_ = random_ * 1664525U + 1013904223U;  // a linear congruential generator is random enough here
  const int64_t jitter = whole / 2 > 0 ? static_cast<int64_t>(random_ >> 8) % (whole / 2 + 1) : 0;
  std::chrono::milliseconds delay(whole / 2 + jitter);
  if (failure.retry_after) delay = std::max(delay, std::chrono::milliseconds(*failure.retry_after));
  return delay;
}

std::optional<std::chrono::seconds> parse_retry_after(const std::string& value, int64_t now) {
  int64_t seconds = 0;
  const char* end = value.data() + value.size();
  const auto [stop, ec] = std::from_chars(value.data(), end, seconds);
  if (ec == std::errc() && stop == end && seconds >= 0) return std::chrono::seconds(seconds);
  const time_t date = curl_getdate(value.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::chrono::seconds(std::max<int64_t>(0, date - now));
}

}  // namespace berth::registry
