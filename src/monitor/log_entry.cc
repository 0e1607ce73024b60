#include "monitor/log_entry.h"

#include <fmt/format.h>

namespace berth::monitor {

namespace {
constexpr size_t kFractionAt = 20;
constexpr size_t kFractionDigits = 9;

bool is_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000000000Z";
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return false;
  }
  return true;
}
}  // namespace

std::optional<LogEntry> parse_log_entry(std::string_view line) {
  constexpr std::string_view kStreams[] = {" stdout ", " stderr "};
  constexpr size_t kStreamLength = kStreams[0].size();
  constexpr size_t kHead = kLogTimeLength + kStreamLength + 2;
  if (line.size() < kHead || !is_time(line.substr(0, kLogTimeLength))) return std::nullopt;
  const std::string_view stream = line.substr(kLogTimeLength, kStreamLength);
  const char flag = line[kHead - 2];
  if ((stream != kStreams[0] && stream != kStreams[1]) || (flag != 'F' && flag != 'P') ||
      line[kHead - 1] != ' ')
    return std::nullopt;
  return LogEntry{line.substr(0, kLogTimeLength), stream == kStreams[1] ? Stream::error : Stream::output,
                  flag == 'P', line.substr(kHead)};
}

std::string_view LogClock::text(timespec time) {
  if (time.tv_sec != second_) {
    tm utc{};
    ::gmtime_r(&time.tv_sec, &utc);
    text_ = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                        utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, 0);
    second_ = time.tv_sec;
  }
  auto digits = time.tv_nsec;
  for (size_t i = kFractionAt + kFractionDigits; i-- > kFractionAt; digits /= 10)
    text_[i] = static_cast<char>('0' + digits % 10);
  return text_;
}

}  // namespace berth::monitor
