#include "cli/duration.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

namespace berth::cli {

namespace {
constexpr int64_t kNanoseconds = 1'000'000'000;
}

std::string time_since(int64_t then) {
  struct Unit {
    const char* name;
    int64_t seconds;
  };
  constexpr std::array<Unit, 6> kUnits{{{"year", 31'536'000},
                                        {"month", 2'592'000},
                                        {"week", 604'800},
                                        {"day", 86'400},
                                        {"hour", 3'600},
                                        {"minute", 60}}};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t passed = std::max<int64_t>(
      0, (std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - then) / kNanoseconds);
  const auto say = [](int64_t count, const char* name) {
    return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
  };
  for (const Unit& unit : kUnits) {
    if (passed >= unit.seconds) return say(passed / unit.seconds, unit.name);
  }
  return say(passed, "second");
}

std::string rfc3339(int64_t nanoseconds) {
  const time_t seconds = nanoseconds / kNanoseconds;
  tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, nanoseconds % kNanoseconds);
}

}  // namespace berth::cli
