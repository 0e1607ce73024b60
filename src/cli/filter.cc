#include "cli/filter.h"

#include <ctime>

#include "cli/times.h"

namespace berth::cli {

Result<Filter> split_filter(const std::string& text) {
  const size_t equals = text.find('=');
  Filter filter{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1), {}};
  if (filter.key != "until") return filter;
  filter.moment = parse_moment(filter.value, ::time(nullptr));
  if (filter.moment) return filter;
  return fail(Code::usage,
              "--filter {}: it is a time such as 2026-01-31T12:00:00Z, 2026-01-31, 1769860800 or 10m", text);
}

bool has_label(const std::map<std::string, std::string>& labels, std::string_view wanted) {
  const size_t equals = wanted.find('=');
  const auto found = labels.find(std::string(wanted.substr(0, equals)));
  if (found == labels.end()) return false;
  return equals == std::string_view::npos || found->second == wanted.substr(equals + 1);
}

}  // namespace berth::cli
