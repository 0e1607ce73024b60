#include "engine/health/health_check.h"

#include <algorithm>

namespace berth::engine {

namespace {

using std::chrono::nanoseconds;

// The words to execute; none where there is no check, or the image's is none that anybody knows.
std::vector<std::string> command_of(const std::vector<std::string>& test, const oci::ImageConfig& image) {
  if (test.size() < 2) return {};
  const bool has_nul = std::any_of(
      test.begin(), test.end(), [](const std::string& word) { return word.find('\0') != std::string::npos; });
  if (has_nul) return {};
  if (test.front() == "CMD") return {test.begin() + 1, test.end()};
  if (test.front() != "CMD-SHELL" || test.size() != 2) return {};
  std::vector<std::string> words = image.shell;
  if (words.empty()) words = {"/bin/sh", "-c"};
  words.push_back(test.back());
  return words;
}

nanoseconds span(int64_t own, int64_t of_image, nanoseconds otherwise) {
  constexpr nanoseconds kLeast = std::chrono::milliseconds(1);
  constexpr nanoseconds kMost = std::chrono::hours(24 * 366);
  for (const int64_t value : {own, of_image}) {
    if (value > 0) return std::clamp(nanoseconds(value), kLeast, kMost);
  }
  return otherwise;
}

}  // namespace

std::optional<HealthCheck> health_check_of(const ContainerSpec& spec, const oci::ImageConfig& image) {
  const oci::Healthcheck of_image = image.healthcheck.value_or(oci::Healthcheck{});
  const HealthSpec& own = spec.health;
  HealthCheck check;
  check.command = command_of(own.test.empty() ? of_image.test : own.test, image);
  if (check.command.empty()) return std::nullopt;
  constexpr std::chrono::seconds kUsual{30};
  check.interval = span(own.interval, of_image.interval, kUsual);
  check.timeout = span(own.timeout, of_image.timeout, kUsual);
  check.start_period = span(own.start_period, of_image.start_period, nanoseconds::zero());
  constexpr int64_t kRetries = 3;
  check.retries = own.retries > 0 ? own.retries : of_image.retries;
  if (check.retries <= 0) check.retries = kRetries;
  check.by_hand = own.by_hand;
  if (own.on_failure != "none") check.on_failure = own.on_failure;
  return check;
}

}  // namespace berth::engine
