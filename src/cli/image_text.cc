#include "cli/image_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fnmatch.h>
#include <time.h>

namespace berth::cli {

std::string human_size(int64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g} {}", value, kUnits[unit]);
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  tm parts{};
  const std::string whole(text);
  const char* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') {
    do {
      ++rest;
    } while (*rest >= '0' && *rest <= '9');
  }
  int64_t seconds = ::timegm(&parts);
  if (*rest == 'Z' || *rest == 'z') return rest[1] == '\0' ? std::optional(seconds) : std::nullopt;
  const std::string_view zone(rest);
  int hours = 0;
  int minutes = 0;
  const auto number = [&](size_t at, int& value) {
    return std::from_chars(zone.data() + at, zone.data() + at + 2, value).ptr == zone.data() + at + 2;
  };
  if (zone.size() != 6 || zone[3] != ':' || !number(1, hours) || !number(4, minutes)) return std::nullopt;
  if (zone[0] != '+' && zone[0] != '-') return std::nullopt;
  const int64_t offset = (hours * 60 + minutes) * 60;
  return zone[0] == '+' ? seconds - offset : seconds + offset;
}

std::string rfc3339_utc(int64_t seconds) {
  const time_t time = seconds;
  tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  return {text.data(), ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string human_age(int64_t then, int64_t now) {
  const int64_t age = std::max<int64_t>(0, now - then);
  struct Unit {
    int64_t seconds;
    std::string_view name;
  };
  constexpr std::array<Unit, 7> kUnits{{{365 * 86400, "year"},
                                        {30 * 86400, "month"},
                                        {7 * 86400, "week"},
                                        {86400, "day"},
                                        {3600, "hour"},
                                        {60, "minute"},
                                        {1, "second"}}};
  for (const Unit& unit : kUnits) {
    const int64_t count = age / unit.seconds;
    // "23 months" says more than "1 year".
    if (count >= 2 || (count == 1 && unit.seconds < 7 * 86400)) {
      return fmt::format("{} {}{} ago", count, unit.name, count == 1 ? "" : "s");
    }
  }
  return "now";
}

std::string short_id(std::string_view id) {
  return std::string(id.substr(id.find(':') + 1).substr(0, 12));
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> shown = rows;
  std::vector<size_t> widths;
  for (std::vector<std::string>& row : shown) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i]);
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : shown) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::vector<std::string> split_at_tabs(std::string_view line) {
  std::vector<std::string> columns;
  while (true) {
    const size_t tab = std::min(line.find('\t'), line.size());
    columns.emplace_back(line.substr(0, tab));
    if (tab == line.size()) return columns;
    line.remove_prefix(tab + 1);
  }
}

std::string printable_lines(std::string_view text) {
  std::string out;
  while (true) {
    const size_t end = std::min(text.find_first_of("\t\n"), text.size());
    out += printable(text.substr(0, end));
    if (end == text.size()) return out;
    out += text[end];
    text.remove_prefix(end + 1);
  }
}

bool name_matches(std::string_view full_name, const std::string& pattern) {
  const std::string full(full_name);
  const std::string repository = split_name(full_name).repository;
  const auto matches = [&](const std::string& name) {
    // The whole name, and each of its ends after a slash.
    for (size_t begin = 0;;) {
      if (::fnmatch(pattern.c_str(), name.c_str() + begin, 0) == 0) return true;
      const size_t slash = name.find('/', begin);
      if (slash == std::string::npos) return false;
      begin = slash + 1;
    }
  };
  return matches(full) || matches(repository);
}

NameParts split_name(std::string_view full_name) {
  const std::string_view name = full_name.substr(0, full_name.find('@'));
  const size_t slash = name.rfind('/');
  const size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return {std::string(name), "<none>"};
  return {std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
}

std::vector<std::string> repository_digests(const std::vector<std::string>& names, std::string_view digest) {
  std::set<std::string> result;
  for (const std::string& name : names)
    result.insert(fmt::format("{}@{}", split_name(name).repository, digest));
  return {result.begin(), result.end()};
}

}  // namespace berth::cli
