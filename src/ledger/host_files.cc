#include "ledger/host_files.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace berth::ledger {

namespace {

std::string_view take_until(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::optional<uint64_t> number(std::string_view field) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size()) return std::nullopt;
  return value;
}

void add_id(std::string_view field, std::vector<idmap::IdRange>& ranges) {
  const std::optional<uint64_t> id = number(field);
  if (id && *id <= idmap::kLastId) ranges.push_back({*id, *id + 1});
}

}  // namespace

void add_account_ids(std::string_view text, bool group, std::vector<idmap::IdRange>& ranges) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    take_until(line, ':');
    take_until(line, ':');
    add_id(take_until(line, ':'), ranges);
    if (!group) add_id(take_until(line, ':'), ranges);
  }
}

void add_subordinate_ranges(std::string_view text, std::string_view own,
                            std::vector<idmap::IdRange>& ranges) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, ':') == own) continue;
    const std::optional<uint64_t> first = number(take_until(line, ':'));
    const std::optional<uint64_t> count = number(line);
    if (!first || !count || *first > idmap::kLastId) continue;
    ranges.push_back({*first, *first + std::min(*count, idmap::kLastId + 1 - *first)});
  }
}

NameServices name_services(std::string_view nsswitch) {
  NameServices found;
  while (!nsswitch.empty()) {
    std::string_view line = take_until(nsswitch, '\n');
    line = line.substr(0, line.find('#'));
    std::string_view database = take_until(line, ':');
    while (!database.empty() && (database.front() == ' ' || database.front() == '\t'))
      database.remove_prefix(1);
    while (!database.empty() && (database.back() == ' ' || database.back() == '\t'))
      database.remove_suffix(1);
    if (database != "passwd" && database != "group") continue;
    while (!line.empty()) {
      const size_t end = line.find_first_of(" \t");
      const std::string_view service = line.substr(0, end);
      line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
      if (service == "systemd") {
        found.systemd = true;
      } else if (!service.empty() && service != "files" && !service.starts_with('[')) {
        found.others = true;
      }
    }
  }
  return found;
}

}  // namespace berth::ledger
