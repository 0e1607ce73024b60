#include "runtime_cli/ps_lines.h"

#include <algorithm>
#include <optional>

#include "base/fields.h"

namespace berth::runtime_cli {

namespace {

constexpr std::string_view kBlanks = " \t";

// The word at a place among those of a line; empty if there are not so many.
std::string_view word_at(std::string_view line, size_t place) {
  while (true) {
    const size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
    line.remove_prefix(begin);
    const size_t end = std::min(line.find_first_of(kBlanks), line.size());
    if (place == 0 || line.empty()) return line.substr(0, end);
    line.remove_prefix(end);
    --place;
  }
}

std::optional<size_t> column_of_pid(std::string_view header) {
  for (size_t place = 0; !word_at(header, place).empty(); ++place) {
    if (word_at(header, place) == "PID") return place;
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> lines_about(std::string_view output, std::span<const pid_t> processes) {
  const std::string_view header = take_until(output, '\n');
  const std::optional<size_t> column = column_of_pid(header);
  if (!column) return fail(Code::usage, "what ps printed has no column PID, by which its lines are chosen");
  std::string chosen = std::string(header) + "\n";
  while (!output.empty()) {
    const std::string_view line = take_until(output, '\n');
    const std::optional<pid_t> pid = whole_number<pid_t>(word_at(line, *column));
    if (pid && std::find(processes.begin(), processes.end(), *pid) != processes.end())
      chosen += std::string(line) + "\n";
  }
  return chosen;
}

}  // namespace berth::runtime_cli
