#include "lifecycle/traces.h"

#include "base/fields.h"
#include "cgroup/cgroups_path.h"

namespace berth::lifecycle {

namespace {

constexpr std::string_view kFirstLine = "berth-runtime container";
constexpr size_t kLargest = size_t{1} << 20;

std::unexpected<Error> malformed(std::string_view line) {
  return fail(Code::refused, "the container's traces have a line that is none: {}", printable(line));
}

Result<> take_line(std::string_view line, Record& record) {
  std::string_view rest = line;
  const std::string_view name = take_until(rest, ' ');
  if (name == "cgroup-path") {
    TRY(cgroup::parse_cgroups_path(rest));
    record.cgroup_path = rest;
  } else if (name == "pid") {
    const auto pid = whole_number<int32_t>(take_until(rest, ' '));
    const auto start = whole_number<int64_t>(rest);
    if (!pid || !start || *pid <= 0) return malformed(line);
    record.pid = *pid;
    record.pid_start = *start;
  } else if (name == "cgroup") {
    const std::string entry = std::string(rest) + "\n";
    TRY(cgroup::parse_record(entry));
    record.cgroup += entry;
  }
  return {};
}

}  // namespace

std::string traces_text(const Record& record) {
  std::string text = fmt::format("{}\n", kFirstLine);
  if (!record.cgroup_path.empty()) text += fmt::format("cgroup-path {}\n", record.cgroup_path);
  if (record.pid != 0) text += fmt::format("pid {} {}\n", record.pid, record.pid_start);
  std::string_view entries = record.cgroup;
  while (!entries.empty()) text += fmt::format("cgroup {}\n", take_until(entries, '\n'));
  return text;
}

Result<Record> parse_traces(std::string_view text) {
  // A last line that is cut off could name another process or cgroup.
  if (!text.ends_with('\n')) text = text.substr(0, text.rfind('\n') + 1);
  if (take_until(text, '\n') != kFirstLine) return fail(Code::refused, "these are no traces of a container");
  Record record;
  while (!text.empty()) TRY(take_line(take_until(text, '\n'), record));
  return record;
}

Result<> write_traces(const Directory& directory, const Record& record) {
  return sys::replace_file_at(directory.fd.get(), kTracesFile, traces_text(record), 0600,
                              sys::Durability::none);
}

Result<Record> read_traces(int directory) {
  const std::string text = TRY(sys::read_file_at(directory, kTracesFile, kLargest));
  return parse_traces(text);
}

}  // namespace berth::lifecycle
