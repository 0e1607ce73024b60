#include "sys/process_stat.h"

#include <cerrno>
#include <optional>

#include <fcntl.h>

#include "base/fields.h"
#include "sys/file.h"

namespace berth::sys {

namespace {

// "12 (a name) S 1 …": whatever the name has in it, its end is the last parenthesis.
std::optional<ProcessStat> parse(std::string_view text) {
  constexpr int kFieldsToStart = 17;  // from the one after the parent on
  ProcessStat stat;
  const auto pid = whole_number<pid_t>(take_until(text, ' '));
  const size_t name_end = text.rfind(") ");
  if (!pid || name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 2);
  if (text.empty()) return std::nullopt;
  stat.pid = *pid;
  stat.state = text.front();
  take_until(text, ' ');
  const auto parent = whole_number<pid_t>(take_until(text, ' '));
  if (!parent) return std::nullopt;
  stat.parent = *parent;
  for (int i = 0; i < kFieldsToStart; ++i) take_until(text, ' ');
  const auto start = whole_number<int64_t>(take_until(text, ' '));
  if (!start) return std::nullopt;
  stat.start = *start;
  return stat;
}

Result<ProcessStat> read_at(int directory, const std::string& path) {
  constexpr size_t kLongest = 4096;
  const Result<std::string> text = read_file_at(directory, path, kLongest);
  if (!text && text.error().err == ENOENT) return fail_errno(ESRCH, "look at a process");
  if (!text) return std::unexpected(text.error());
  const std::optional<ProcessStat> stat = parse(*text);
  if (!stat) return fail("/proc/PID/stat is not as expected");
  return *stat;
}

}  // namespace

Result<ProcessStat> read_process_stat(pid_t pid) {
  return read_at(AT_FDCWD, fmt::format("/proc/{}/stat", pid));
}

Result<ProcessStat> read_process_stat_at(int directory) {
  return read_at(directory, "stat");
}

}  // namespace berth::sys
