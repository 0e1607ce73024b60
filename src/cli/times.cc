#include "cli/times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "base/clock.h"

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
