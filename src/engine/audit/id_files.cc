#include "engine/audit/id_files.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/fields.h"

namespace berth::engine {

namespace {

std::optional<IdLine> read_line(std::string_view text, IdFile file, size_t line) {
  const std::string_view name = take_until(text, ':');
  if (name.empty() || name.front() == '#') return std::nullopt;
  const bool account = file == IdFile::passwd || file == IdFile::group;
  if (account) take_until(text, ':');  // the password
  const std::optional<uint64_t> first = whole_number<uint64_t>(take_until(text, ':'));
  const std::optional<uint64_t> count = account ? 1 : whole_number<uint64_t>(text);
  if (!first || *first > idmap::kLastId || !count || *count == 0) return std::nullopt;
  const uint64_t length = std::min(*count, idmap::kLastId + 1 - *first);
  return IdLine{file, line, std::string(name), {*first, *first + length}};
}

}  // namespace

std::string_view path_of(IdFile file) {
  switch (file) {
    case IdFile::passwd:
      return "/etc/passwd";
    case IdFile::group:
      return "/etc/group";
    case IdFile::subuid:
      return "/etc/subuid";
    case IdFile::subgid:
      return "/etc/subgid";
  }
  return {};
}

std::vector<IdLine> read_id_lines(std::string_view text, IdFile file) {
  std::vector<IdLine> lines;
  for (size_t line = 1; !text.empty(); ++line) {
    if (std::optional<IdLine> found = read_line(take_until(text, '\n'), file, line)) {
      lines.push_back(std::move(*found));
    }
  }
  return lines;
}

}  // namespace berth::engine
