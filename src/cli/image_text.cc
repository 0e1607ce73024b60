#include "cli/image_text.h"

#include <algorithm>
#include <array>
#include <set>

#include <fnmatch.h>

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

std::string_view hex_of(std::string_view id) {
  return id.substr(id.find(':') + 1);
}

std::string short_id(std::string_view id) {
  return std::string(hex_of(id).substr(0, 12));
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
