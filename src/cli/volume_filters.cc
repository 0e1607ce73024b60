#include "cli/volume_filters.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>

#include "cli/times.h"

namespace berth::cli {

namespace {

struct Filter {
  std::string key;
  std::string value;
  std::optional<int64_t> moment = std::nullopt;  // until
};

Result<Filter> parse_filter(const std::string& text) {
  const size_t equals = text.find('=');
  Filter filter{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  if (filter.key == "until") {
    filter.moment = parse_moment(filter.value, ::time(nullptr));
    if (filter.moment) return filter;
    return fail(Code::usage,
                "--filter {}: it is a time such as 2026-01-31T12:00:00Z, 2026-01-31, 1769860800 or 10m",
                text);
  }
  const bool is_bool = filter.value == "true" || filter.value == "false";
  if (!filter.value.empty() && (filter.key == "name" || filter.key == "label" || filter.key == "label!" ||
                                filter.key == "driver" || (filter.key == "dangling" && is_bool)))
    return filter;
  return fail(Code::usage,
              "--filter {}: it is name=TEXT, label=KEY[=VALUE], label!=KEY[=VALUE], dangling=true|false, "
              "driver=local or until=TIME",
              text);
}

bool has_label(const engine::Volume& volume, const std::string& wanted) {
  const size_t equals = wanted.find('=');
  const auto found = volume.labels.find(wanted.substr(0, equals));
  if (found == volume.labels.end()) return false;
  return equals == std::string::npos || found->second == wanted.substr(equals + 1);
}

bool holds(const engine::Volume& volume, const Filter& filter) {
  if (filter.key == "name") return volume.name.find(filter.value) != std::string::npos;
  if (filter.key == "label") return has_label(volume, filter.value);
  if (filter.key == "label!") return !has_label(volume, filter.value);
  if (filter.moment) return volume.created_at < *filter.moment;
  if (filter.key == "dangling") return volume.containers.empty() == (filter.value == "true");
  return filter.value == "local";
}

bool passes(const engine::Volume& volume, const std::vector<Filter>& filters) {
  std::map<std::string, bool> any;  // by key: whether one of its filters holds
  for (const Filter& filter : filters) {
    const bool held = holds(volume, filter);
    if (filter.key.starts_with("label") && !held) return false;
    any[filter.key] |= held;
  }
  return std::all_of(any.begin(), any.end(), [](const auto& one) { return one.second; });
}

}  // namespace

Result<std::vector<engine::Volume>> filtered(std::vector<engine::Volume> volumes,
                                             const std::vector<std::string>& filters) {
  std::vector<Filter> parsed;
  for (const std::string& text : filters) parsed.push_back(TRY(parse_filter(text)));
  std::erase_if(volumes, [&](const engine::Volume& volume) { return !passes(volume, parsed); });
  return volumes;
}

}  // namespace berth::cli
