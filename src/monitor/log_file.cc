#include "monitor/log_file.h"

#include <ctime>

#include <fmt/format.h>

#include "sys/file.h"

namespace berth::monitor {

namespace {
std::string timestamp() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec);
}
}  // namespace

void LogFile::append(std::string_view stream, std::string_view bytes) {
  if (!file_.valid()) return;
  const std::string prefix = fmt::format("{} {} ", timestamp(), stream);
  std::string entries;
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const bool whole = newline != std::string_view::npos;
    entries += prefix;
    entries += whole ? "F " : "P ";
    entries += bytes.substr(0, newline);
    entries += '\n';
    bytes.remove_prefix(whole ? newline + 1 : bytes.size());
  }
  [[maybe_unused]] const Result<> written = sys::write_all(file_.get(), entries);
}

}  // namespace berth::monitor
