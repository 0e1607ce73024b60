#include "base/duration.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace berth {

namespace {

struct Unit {
  std::string_view name;
  double milliseconds;
};
constexpr std::array<Unit, 6> kUnits{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}}};

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr double kYear = 366.0 * 24 * 3'600'000;
  constexpr std::string_view kNumber = "0123456789.";
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of(kNumber), text.size());
    double value = 0;
    const char* const end = text.data() + digits;
    if (std::from_chars(text.data(), end, value).ptr != end || digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    const std::string_view name = text.substr(0, text.find_first_of(kNumber));
    const auto* const unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& one) { return one.name == name; });
    if (unit == kUnits.end()) return std::nullopt;
    total += value * unit->milliseconds;
    if (total > kYear) return std::nullopt;
    text.remove_prefix(name.size());
  }
  return std::chrono::milliseconds(static_cast<int64_t>(total));
}

}  // namespace berth
