#include "cli/times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/fields.h"

namespace berth::cli {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string date_and_time(seconds since_1970) {
  const time_t time = since_1970.count();
  tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  return {text.data(), ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc)};
}

// "1h30m" in seconds.
std::optional<int64_t> duration(std::string_view text) {
  constexpr std::string_view kUnits = "smh";
  constexpr std::array<int64_t, kUnits.size()> kLengths{1, 60, 3600};
  constexpr int64_t kMost = int64_t{1000} * 365 * 24 * 3600;
  int64_t sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty() && sum <= kMost) {
    const size_t digits = text.find_first_not_of("0123456789");
    if (digits == std::string_view::npos) return std::nullopt;
    const auto count = whole_number<int64_t>(text.substr(0, digits));
    const size_t unit = kUnits.find(text[digits]);
    if (!count || *count > kMost || unit == std::string_view::npos) return std::nullopt;
    sum += *count * kLengths[unit];
    text.remove_prefix(digits + 1);
  }
  return sum <= kMost ? std::optional(sum) : std::nullopt;
}

std::optional<int64_t> local_time(const std::string& text) {
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    tm parts{};
    parts.tm_isdst = -1;
    const char* rest = ::strptime(text.c_str(), format, &parts);
    if (rest != nullptr && *rest == '\0') return ::mktime(&parts);
  }
  return std::nullopt;
}

}  // namespace

std::string time_span(seconds span) {
  struct Unit {
    int64_t seconds;
    std::string_view name;
  };
  constexpr int64_t kDay = 86400;
  constexpr std::array<Unit, 6> kUnits{{{365 * kDay, "year"},
                                        {30 * kDay, "month"},
                                        {7 * kDay, "week"},
                                        {kDay, "day"},
                                        {3600, "hour"},
                                        {60, "minute"}}};
  const auto say = [](int64_t count, std::string_view name) {
    return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
  };
  const int64_t passed = std::max<int64_t>(0, span.count());
  for (const Unit& unit : kUnits) {
    const int64_t count = passed / unit.seconds;
    // "23 months" says more than "1 year".
    if (count >= 2 || (count == 1 && unit.seconds <= kDay)) return say(count, unit.name);
  }
  return say(passed, "second");
}

std::string time_since(nanoseconds since_1970) {
  return time_span(std::chrono::floor<seconds>(nanoseconds(now_nanoseconds()) - since_1970));
}

std::string rfc3339(seconds since_1970) {
  return date_and_time(since_1970) + "Z";
}

std::string rfc3339(nanoseconds since_1970) {
  const auto whole = std::chrono::floor<seconds>(since_1970);
  return fmt::format("{}.{:09}Z", date_and_time(whole), (since_1970 - whole).count());
}

std::optional<int64_t> parse_moment(std::string_view text, int64_t now) {
  if (const auto number = whole_number<int64_t>(text)) return number;
  if (const auto moment = parse_rfc3339(text)) return moment;
  if (const auto before = duration(text)) return now - *before;
  return local_time(std::string(text));
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  tm parts{};
  const std::string whole(text);
  const char* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') {
    do {
      ++rest;
    } while (*rest >= '0' && *rest <= '9');
  }
  int64_t seconds = ::timegm(&parts);
  if (*rest == 'Z' || *rest == 'z') return rest[1] == '\0' ? std::optional(seconds) : std::nullopt;
  const std::string_view zone(rest);
  int hours = 0;
  int minutes = 0;
  const auto number = [&](size_t at, int& value) {
    return std::from_chars(zone.data() + at, zone.data() + at + 2, value).ptr == zone.data() + at + 2;
  };
  if (zone.size() != 6 || zone[3] != ':' || !number(1, hours) || !number(4, minutes)) return std::nullopt;
  if (zone[0] != '+' && zone[0] != '-') return std::nullopt;
  const int64_t offset = (hours * 60 + minutes) * 60;
  return zone[0] == '+' ? seconds - offset : seconds + offset;
}

}  // namespace berth::cli
