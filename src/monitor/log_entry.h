// One entry of a container's log: a line of "<RFC 3339 time> stdout|stderr F|P <text>", where P says that the
// line goes on in the stream's next entry. The format that Kubernetes' tools and podman's read.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace berth::monitor {

enum class Stream : uint8_t { output, error };

struct LogEntry {
  std::string_view time;  // kLogTimeLength bytes; such times sort as texts
  Stream stream = Stream::output;
  bool partial = false;
  std::string_view text;  // as the container wrote it, any bytes but a line's end
};

// "2026-01-31T12:00:00.123456789Z".
inline constexpr size_t kLogTimeLength = 30;

// An entry without its line's end. nullopt for a line that is none, such as one that a crash has cut.
std::optional<LogEntry> parse_log_entry(std::string_view line);

// A log's times, one after another.
class LogClock {
 public:
  // As an entry has it. Valid until the next call.
  std::string_view text(timespec time);

 private:
  time_t second_ = -1;
  std::string text_;
};

}  // namespace berth::monitor
