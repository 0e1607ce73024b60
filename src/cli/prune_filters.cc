#include <ctime>

#include "cli/prune.h"
#include "cli/times.h"

namespace berth::cli {

Result<PruneFilters> PruneFilters::parse(const std::vector<std::string>& filters) {
  PruneFilters parsed;
  for (const std::string& text : filters) {
    const size_t equals = text.find('=');
    std::string key = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (key == "until") {
      parsed.until_ = parse_moment(value, ::time(nullptr));
      if (parsed.until_) continue;
      return fail(Code::usage,
                  "--filter {}: it is a time such as 2026-01-31T12:00:00Z, 2026-01-31, 1769860800 or 10m",
                  text);
    }
    if (value.empty() || (key != "label" && key != "label!"))
      return fail(Code::usage, "--filter {}: it is until=TIME, label=KEY[=VALUE] or label!=KEY[=VALUE]",
                  text);
    const size_t inner = value.find('=');
    Label label{.key = value.substr(0, inner), .wanted = key == "label"};
    if (inner != std::string::npos) label.value = value.substr(inner + 1);
    parsed.labels_.push_back(std::move(label));
  }
  return parsed;
}

bool PruneFilters::let(int64_t made_at, const std::map<std::string, std::string>& labels) const {
  if (until_ && made_at >= *until_) return false;
  for (const Label& label : labels_) {
    const auto found = labels.find(label.key);
    const bool has = found != labels.end() && (!label.value || found->second == *label.value);
    if (has != label.wanted) return false;
  }
  return true;
}

}  // namespace berth::cli
