#include "base/amounts.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/fields.h"
#include "base/letter_case.h"

namespace berth {

namespace {

struct Unit {
  std::string_view name;
  int shift;
};
constexpr std::array<Unit, 10> kUnits{{{"", 0},
                                       {"b", 0},
                                       {"k", 10},
                                       {"kb", 10},
                                       {"m", 20},
                                       {"mb", 20},
                                       {"g", 30},
                                       {"gb", 30},
                                       {"t", 40},
                                       {"tb", 40}}};
constexpr std::string_view kDigits = "0123456789";

}  // namespace

std::optional<uint64_t> parse_bytes(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
  const std::string unit = small(text.substr(digits));
  const std::optional<uint64_t> value = whole_number<uint64_t>(text.substr(0, digits));
  const auto known =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& one) { return one.name == unit; });
  if (!value || known == kUnits.end()) return std::nullopt;
  if (*value > (std::numeric_limits<uint64_t>::max() >> known->shift)) return std::nullopt;
  return *value << known->shift;
}

std::string bytes_text(uint64_t bytes) {
  constexpr std::string_view kLetters = "tgmk";
  int shift = 40;
  for (const char letter : kLetters) {
    if (bytes != 0 && bytes % (uint64_t{1} << shift) == 0) return fmt::format("{}{}", bytes >> shift, letter);
    shift -= 10;
  }
  return std::to_string(bytes);
}

std::optional<uint64_t> parse_cpus(std::string_view text) {
  constexpr uint64_t kMost = 65'536;
  constexpr size_t kPlaces = 9;
  if (text.empty()) return std::nullopt;
  const std::string_view whole = take_until(text, '.');
  std::string fraction(text.substr(0, kPlaces));
  fraction.resize(kPlaces, '0');
  const auto units = whole_number<uint64_t>(whole.empty() ? "0" : whole);
  const auto parts = whole_number<uint64_t>(fraction);
  const bool digits = text.find_first_not_of(kDigits) == std::string_view::npos;
  if (!units || !parts || !digits || *units > kMost) return std::nullopt;
  return *units * kNanoCpus + *parts;
}

std::string cpus_text(uint64_t nano_cpus) {
  std::string text = fmt::format("{}.{:09}", nano_cpus / kNanoCpus, nano_cpus % kNanoCpus);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace berth
