#include "sys/signal_names.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "base/fields.h"
#include "base/letter_case.h"

namespace berth::sys {

std::optional<int> signal_number(std::string_view text) {
  constexpr int kFirstRealTime = 34;  // the C library keeps two
  constexpr int kLastSignal = 64;
  if (const std::optional<int> value = whole_number<int>(text)) {
    if (*value >= 1 && *value <= kLastSignal) return value;
    return std::nullopt;
  }
  std::string name = capital(text);
  if (name.starts_with("SIG")) name = name.substr(3);
  constexpr std::array<std::pair<std::string_view, int>, 2> kOffsets{
      {{"RTMIN+", kFirstRealTime}, {"RTMAX-", kLastSignal}}};
  for (const auto& [prefix, base] : kOffsets) {
    if (!name.starts_with(prefix)) continue;
    const auto offset = whole_number<uint8_t>(std::string_view(name).substr(prefix.size()));
    const int signal = offset ? (prefix == "RTMIN+" ? base + *offset : base - *offset) : 0;
    if (signal >= kFirstRealTime && signal <= kLastSignal) return signal;
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* abbreviation = sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return signal;
  }
  return std::nullopt;
}

}  // namespace berth::sys
