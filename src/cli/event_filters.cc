#include "cli/event_filters.h"

#include <algorithm>
#include <array>
#include <map>

#include "cli/filter.h"
#include "cli/image_text.h"

namespace berth::cli {

namespace {

constexpr std::array<std::string_view, 8> kKeys{"container", "event",   "image", "label",
                                                "name",      "network", "type",  "volume"};

// Docker's words for what podman calls otherwise.
std::string action_named(const std::string& word) {
  if (word == "die") return "died";
  if (word == "destroy" || word == "delete") return "remove";
  return word;
}

bool is_named(const PastEvent& event, std::string_view type, const std::string& value) {
  return event.type == type && (event.name == value || event.id.starts_with(value));
}

bool is_about_image(const PastEvent& event, const std::string& value) {
  if (event.type == "container") return name_matches(event.image, value);
  const std::string_view id(event.id);
  constexpr std::string_view kAlgorithm = "sha256:";
  return event.type == "image" &&
         (name_matches(event.name, value) || id.starts_with(value) ||
          (id.starts_with(kAlgorithm) && id.substr(kAlgorithm.size()).starts_with(value)));
}

bool holds(const PastEvent& event, const std::string& key, const std::string& value) {
  if (key == "type") return event.type == value;
  if (key == "event") return event.action == action_named(value);
  if (key == "label") return has_label(event.attributes, value);
  if (key == "image") return is_about_image(event, value);
  if (key == "name") return event.name == value;
  return is_named(event, key, value);
}

}  // namespace

Result<EventFilters> EventFilters::parse(const std::vector<std::string>& filters) {
  EventFilters parsed;
  for (const std::string& text : filters) {
    const size_t equals = text.find('=');
    std::string key = text.substr(0, equals);
    if (key == "status") key = "event";
    const bool known = std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
    if (!known || equals == std::string::npos || equals + 1 == text.size())
      return fail(Code::usage,
                  "--filter {}: it is type=, event=, container=, image=, volume=, network=, name= or "
                  "label=KEY[=VALUE]",
                  text);
    parsed.filters_.emplace_back(std::move(key), text.substr(equals + 1));
  }
  return parsed;
}

bool EventFilters::pass(const PastEvent& event) const {
  std::map<std::string_view, bool> any;  // by key: whether one of its filters holds
  for (const auto& [key, value] : filters_) any[key] |= holds(event, key, value);
  return std::all_of(any.begin(), any.end(), [](const auto& one) { return one.second; });
}

}  // namespace berth::cli
