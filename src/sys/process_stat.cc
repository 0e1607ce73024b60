#include "sys/process_stat.h"

#include <cerrno>

#include <fcntl.h>

#include "base/fields.h"
#include "sys/file.h"

namespace berth::sys {

namespace {

std::optional<ProcessStat> parse(std::string_view text) {
  constexpr size_t kState = 3;
  constexpr size_t kParent = 4;
  constexpr size_t kStart = 22;
  const std::optional<StatFields> fields = split_process_stat(text);
  if (!fields || fields->field(kState).empty()) return std::nullopt;
  const auto parent = whole_number<pid_t>(fields->field(kParent));
  const auto start = whole_number<int64_t>(fields->field(kStart));
  if (!parent || !start) return std::nullopt;
  return ProcessStat{fields->pid, fields->field(kState).front(), *parent, *start};
}

Result<ProcessStat> read_at(int directory, const std::string& path) {
  const Result<std::string> text = read_record_at(directory, path);
  if (!text && text.error().err == ENOENT) return fail_errno(ESRCH, "look at a process");
  if (!text) return std::unexpected(text.error());
  const std::optional<ProcessStat> stat = parse(*text);
  if (!stat) return fail("/proc/PID/stat is not as expected");
  return *stat;
}

}  // namespace

std::string_view StatFields::field(size_t number) const {
  constexpr size_t kState = 3;
  return number - kState < from_state.size() ? from_state[number - kState] : std::string_view();
}

// "12 (a name) S 1 …": whatever the name has in it, its end is the last parenthesis.
std::optional<StatFields> split_process_stat(std::string_view text) {
  const size_t begin = text.find(" (");
  const size_t end = text.rfind(") ");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + 2)
    return std::nullopt;
  const auto pid = whole_number<pid_t>(text.substr(0, begin));
  if (!pid) return std::nullopt;
  StatFields fields{*pid, text.substr(begin + 2, end - begin - 2), {}};
  constexpr size_t kUsual = 50;  // proc_pid_stat(5)
  fields.from_state.reserve(kUsual);
  std::string_view rest = text.substr(end + 2);
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  while (!rest.empty()) fields.from_state.push_back(take_until(rest, ' '));
  return fields;
}

Result<ProcessStat> read_process_stat(pid_t pid) {
  return read_at(AT_FDCWD, fmt::format("/proc/{}/stat", pid));
}

Result<ProcessStat> read_process_stat_at(int directory) {
  return read_at(directory, "stat");
}

}  // namespace berth::sys
