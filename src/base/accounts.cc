#include "base/accounts.h"

#include <algorithm>

#include "base/ids.h"

namespace berth {

namespace {

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The next line without its newline; nullopt at the end of the text.
std::optional<std::string_view> take_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const size_t newline = text.find('\n');
  std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  // C strings end at a NUL, and so does the line for every reader in the container.
  line = line.substr(0, line.find('\0'));
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

std::string_view take_field(std::string_view& line) {
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  line.remove_prefix(colon == std::string_view::npos ? line.size() : colon + 1);
  return field;
}

// As strtoul(3) takes it: blanks and a plus may stand in front.
std::optional<uint32_t> take_id(std::string_view& line) {
  std::string_view field = take_field(line);
  while (!field.empty() && is_blank(field.front())) field.remove_prefix(1);
  if (field.starts_with('+')) field.remove_prefix(1);
  if (!is_number(field)) return std::nullopt;
  const Result<uint32_t> id = parse_id(field);
  return id ? std::optional(*id) : std::nullopt;
}

bool holds_no_entry(std::string_view line) {
  return line.empty() || line.front() == '#' || line.front() == '+' || line.front() == '-' ||
         line.front() == ':';
}

template <typename Reader, typename Matches>
auto find_entry(std::string_view text, Matches matches) {
  Reader reader(text);
  auto entry = reader.next();
  while (entry && !matches(*entry)) entry = reader.next();
  return entry;
}

}  // namespace

std::optional<PasswdEntry> PasswdReader::next() {
  while (std::optional<std::string_view> line = take_line(rest_)) {
    if (holds_no_entry(*line)) continue;
    PasswdEntry entry;
    entry.name = take_field(*line);
    entry.password = take_field(*line);
    const std::optional<uint32_t> uid = take_id(*line);
    const std::optional<uint32_t> gid = uid ? take_id(*line) : std::nullopt;
    if (!uid || !gid) continue;
    entry.uid = *uid;
    entry.gid = *gid;
    entry.gecos = take_field(*line);
    entry.home = take_field(*line);
    entry.shell = *line;
    return entry;
  }
  return std::nullopt;
}

std::optional<GroupEntry> GroupReader::next() {
  while (std::optional<std::string_view> line = take_line(rest_)) {
    if (holds_no_entry(*line)) continue;
    GroupEntry entry;
    entry.name = take_field(*line);
    entry.password = take_field(*line);
    const std::optional<uint32_t> gid = take_id(*line);
    if (!gid) continue;
    entry.gid = *gid;
    entry.members = *line;
    return entry;
  }
  return std::nullopt;
}

std::optional<PasswdEntry> find_user(std::string_view passwd, std::string_view name) {
  return find_entry<PasswdReader>(passwd, [&](const PasswdEntry& entry) { return entry.name == name; });
}
std::optional<PasswdEntry> find_user(std::string_view passwd, uint32_t uid) {
  return find_entry<PasswdReader>(passwd, [&](const PasswdEntry& entry) { return entry.uid == uid; });
}
std::optional<GroupEntry> find_group(std::string_view group, std::string_view name) {
  return find_entry<GroupReader>(group, [&](const GroupEntry& entry) { return entry.name == name; });
}
std::optional<GroupEntry> find_group(std::string_view group, uint32_t gid) {
  return find_entry<GroupReader>(group, [&](const GroupEntry& entry) { return entry.gid == gid; });
}

bool has_member(const GroupEntry& group, std::string_view user) {
  std::string_view rest = group.members;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    std::string_view member = rest.substr(0, comma);
    while (!member.empty() && is_blank(member.front())) member.remove_prefix(1);
    if (member == user) return !member.empty();
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

Result<uint32_t> parse_id(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + static_cast<uint64_t>(c - '0');
    // Stops long before 64 bits are full.
    if (!is_digit(c) || value > kLastId) {
      return fail(Code::refused, "{} is not an ID: the numbers from 0 to {} are", digits, kLastId);
    }
  }
  if (digits.empty()) return fail(Code::refused, "an empty ID");
  return static_cast<uint32_t>(value);
}

}  // namespace berth
