#include "cli/volume_filters.h"

#include "cli/filter.h"

namespace berth::cli {

namespace {

Result<Filter> parse_filter(const std::string& text) {
  Filter filter = TRY(split_filter(text));
  if (filter.moment) return filter;
  const bool is_bool = filter.value == "true" || filter.value == "false";
  if (!filter.value.empty() && (filter.key == "name" || filter.key == "label" || filter.key == "label!" ||
                                filter.key == "driver" || (filter.key == "dangling" && is_bool)))
    return filter;
  return fail(Code::usage,
              "--filter {}: it is name=TEXT, label=KEY[=VALUE], label!=KEY[=VALUE], dangling=true|false, "
              "driver=local or until=TIME",
              text);
}

bool holds(const engine::Volume& volume, const Filter& filter) {
  if (filter.key == "name") return volume.name.find(filter.value) != std::string::npos;
  if (filter.key == "label") return has_label(volume.labels, filter.value);
  if (filter.key == "label!") return !has_label(volume.labels, filter.value);
  if (filter.moment) return volume.created_at < *filter.moment;
  if (filter.key == "dangling") return volume.containers.empty() == (filter.value == "true");
  return filter.value == "local";
}

}  // namespace

Result<std::vector<engine::Volume>> filtered(std::vector<engine::Volume> volumes,
                                             const std::vector<std::string>& filters) {
  std::vector<Filter> parsed;
  for (const std::string& text : filters) parsed.push_back(TRY(parse_filter(text)));
  std::erase_if(volumes, [&](const engine::Volume& volume) {
    return !filters_pass(parsed, [&](const Filter& filter) { return holds(volume, filter); });
  });
  return volumes;
}

}  // namespace berth::cli
