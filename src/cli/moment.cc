#include "cli/moment.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/clock.h"
#include "base/fields.h"
#include "cli/times.h"

namespace berth::cli {

namespace {

constexpr int64_t kMostSeconds = INT64_MAX / kNanoseconds - 1;
constexpr size_t kFractionDigits = 9;

// The nanoseconds of the digits after a point, those beyond the ninth left out; none if they are no digits.
std::optional<int64_t> fraction(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::string nine(digits.substr(0, kFractionDigits));
  nine.append(kFractionDigits - nine.size(), '0');
  return whole_number<int64_t>(nine);
}

// "12" or "12.5" of a unit that is so many nanoseconds.
std::optional<int64_t> amount(std::string_view number, int64_t unit) {
  const bool has_fraction = number.find('.') != std::string_view::npos;
  const auto whole = whole_number<int64_t>(take_until(number, '.'));
  if (!whole || *whole < 0 || *whole > INT64_MAX / 4 / unit) return std::nullopt;
  if (!has_fraction) return *whole * unit;
  const auto part = fraction(number);
  if (!part) return std::nullopt;
  // A unit is whole seconds or a whole part of one.
  return *whole * unit +
         (unit >= kNanoseconds ? *part * (unit / kNanoseconds) : *part / (kNanoseconds / unit));
}

// Go's "1h30m", "1.5s", "250ms".
std::optional<int64_t> duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t nanoseconds;
  };
  constexpr int64_t kMinute = 60 * kNanoseconds;
  // Those with two letters first.
  constexpr std::array<Unit, 6> kUnits{
      {{"ns", 1}, {"us", 1000}, {"ms", 1'000'000}, {"s", kNanoseconds}, {"m", kMinute}, {"h", 60 * kMinute}}};
  if (text.empty()) return std::nullopt;
  int64_t sum = 0;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view number = text.substr(0, digits);
    text.remove_prefix(digits);
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (found == nullptr && text.starts_with(unit.name)) found = &unit;
    }
    if (found == nullptr) return std::nullopt;
    const auto value = amount(number, found->nanoseconds);
    if (!value || *value > INT64_MAX / 2 - sum) return std::nullopt;
    sum += *value;
    text.remove_prefix(found->name.size());
  }
  return sum;
}

// The fraction of a second in "2026-01-31T12:00:00.5+01:00".
int64_t fraction_in(std::string_view text) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return 0;
  const std::string_view rest = text.substr(point + 1);
  return fraction(rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()))).value_or(0);
}

std::optional<int64_t> nanoseconds(std::optional<int64_t> seconds, int64_t fraction) {
  if (!seconds || *seconds > kMostSeconds || *seconds < -kMostSeconds) return std::nullopt;
  return *seconds * kNanoseconds + fraction;
}

}  // namespace

std::optional<int64_t> parse_moment_nanoseconds(std::string_view text, int64_t now) {
  const size_t digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos) {
    std::string_view rest = text;
    const auto seconds = whole_number<int64_t>(take_until(rest, '.'));
    return nanoseconds(seconds, rest.empty() ? 0 : fraction(rest).value_or(0));
  }
  const bool ahead = text.starts_with('-');
  if (const auto span = duration(ahead ? text.substr(1) : text)) {
    if (!ahead) return now - *span;
    return *span <= INT64_MAX - now ? std::optional(now + *span) : std::nullopt;
  }
  if (const auto moment = parse_rfc3339(text)) return nanoseconds(moment, fraction_in(text));
  return nanoseconds(parse_moment(text, now / kNanoseconds), 0);
}

Result<std::optional<int64_t>> moment_of_flag(std::string_view flag, std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto moment = parse_moment_nanoseconds(text, now_nanoseconds());
  if (moment) return moment;
  return fail(
      Code::usage,
      "{} {}: it is a time such as 2026-01-31T12:00:00Z, 2026-01-31, 1769860800, or 10m for ten minutes ago",
      flag, text);
}

}  // namespace berth::cli
