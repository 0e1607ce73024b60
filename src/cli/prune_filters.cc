#include <algorithm>

#include "cli/prune.h"

namespace berth::cli {

Result<PruneFilters> PruneFilters::parse(const std::vector<std::string>& filters) {
  PruneFilters parsed;
  for (const std::string& text : filters) {
    Filter filter = TRY(split_filter(text));
    const bool of_label = filter.key == "label" || filter.key == "label!";
    if (!filter.moment && (!of_label || filter.value.empty()))
      return fail(Code::usage, "--filter {}: it is until=TIME, label=KEY[=VALUE] or label!=KEY[=VALUE]",
                  text);
    parsed.filters_.push_back(std::move(filter));
  }
  return parsed;
}

bool PruneFilters::let(int64_t made_at, const std::map<std::string, std::string>& labels) const {
  return std::ranges::all_of(filters_, [&](const Filter& filter) {
    if (filter.moment) return made_at < *filter.moment;
    return has_label(labels, filter.value) == (filter.key == "label");
  });
}

}  // namespace berth::cli
