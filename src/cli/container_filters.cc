#include "cli/container_filters.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/fields.h"
#include "cli/container_network.h"
#include "cli/filter.h"
#include "cli/image_text.h"
#include "cli/moment.h"

namespace berth::cli {

namespace {

constexpr std::array<std::string_view, 15> kKeys{"ancestor", "before", "exited", "health",  "id",
                                                 "label",    "label!", "name",   "network", "project",
                                                 "since",    "status", "until",  "volume",  "command"};
constexpr std::array<std::string_view, 6> kStates{store::kCreated, store::kRunning, "paused",
                                                  "restarting",    store::kExited,  store::kRemoving};
constexpr std::array<std::string_view, 4> kHealths{"starting", "healthy", "unhealthy", "none"};

template <size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// podman and Docker search the name for a regular expression.
Result<std::shared_ptr<regex_t>> pattern_of(const std::string& text) {
  auto compiled = std::make_unique<regex_t>();
  if (::regcomp(compiled.get(), text.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return fail(Code::usage, "--filter name={}: it is no regular expression", text);
  return std::shared_ptr<regex_t>(compiled.release(), [](regex_t* regex) {
    ::regfree(regex);
    delete regex;
  });
}

bool is_made_from(const ContainerView& view, const std::string& image) {
  const std::string_view id = view.record.image_id;
  return name_matches(view.record.image_name, image) || id.starts_with(image) ||
         hex_of(view.record.image_id).starts_with(image);
}

bool mounts(const ContainerView& view, const std::string& wanted) {
  return std::any_of(view.spec->mounts.begin(), view.spec->mounts.end(), [&](const engine::MountSpec& mount) {
    return mount.volume == wanted || mount.source == wanted || mount.target == wanted;
  });
}

bool has_network(const ContainerView& view, const std::string& wanted) {
  const std::vector<std::string> networks = network_names(*view.spec);
  return std::find(networks.begin(), networks.end(), wanted) != networks.end();
}

Result<std::optional<int64_t>> moment_of(store::Database& db, const std::string& key,
                                         const std::string& value) {
  if (key == "until") return moment_of_flag("--filter until=", value);
  if (key == "before" || key == "since") return TRY(store::find_container(db, value)).created_at;
  return std::nullopt;
}

}  // namespace

Result<ContainerFilters::Filter> ContainerFilters::parse_one(store::Database& db, const std::string& text) {
  const size_t equals = text.find('=');
  Filter filter{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  if (!has(kKeys, filter.key) || filter.value.empty())
    return fail(Code::usage, "--filter {}: it is one of {}", text, kContainerFilters);
  if (filter.key == "name") filter.pattern = TRY(pattern_of(filter.value));
  if (filter.key == "status") {
    if (filter.value == "stopped") filter.value = store::kExited;
    if (!has(kStates, filter.value))
      return fail(Code::usage, "--filter {}: a status is one of {}", text, fmt::join(kStates, ", "));
  }
  if (filter.key == "health" && !has(kHealths, filter.value))
    return fail(Code::usage, "--filter {}: it is one of {}", text, fmt::join(kHealths, ", "));
  if (filter.key == "exited") {
    filter.status = whole_number<int64_t>(filter.value);
    if (!filter.status) return fail(Code::usage, "--filter {}: an exit status is a number", text);
  }
  filter.moment = TRY(moment_of(db, filter.key, filter.value));
  return filter;
}

Result<ContainerFilters> ContainerFilters::parse(store::Database& db,
                                                 const std::vector<std::string>& filters) {
  ContainerFilters parsed;
  for (const std::string& text : filters) parsed.filters_.push_back(TRY(parse_one(db, text)));
  return parsed;
}

bool ContainerFilters::holds(const Filter& filter, const ContainerView& view) {
  const store::ContainerRecord& record = view.record;
  if (filter.key == "id") return record.id.starts_with(filter.value);
  if (filter.key == "name") return ::regexec(filter.pattern.get(), record.name.c_str(), 0, nullptr, 0) == 0;
  if (filter.key == "label") return has_label(view.labels, filter.value);
  if (filter.key == "label!") return !has_label(view.labels, filter.value);
  if (filter.key == "status") return view.state == filter.value;
  if (filter.key == "exited") return view.state == store::kExited && record.exit_status == filter.status;
  if (filter.key == "ancestor") return is_made_from(view, filter.value);
  if (filter.key == "since") return record.created_at > *filter.moment;
  if (filter.key == "before" || filter.key == "until") return record.created_at < *filter.moment;
  if (filter.key == "volume") return mounts(view, filter.value);
  if (filter.key == "network") return has_network(view, filter.value);
  if (filter.key == "health") return (view.health.empty() ? "none" : view.health) == filter.value;
  if (filter.key == "command") return !view.command.empty() && view.command.front() == filter.value;
  return record.project == filter.value;
}

bool ContainerFilters::pass(const ContainerView& view) const {
  return filters_pass(filters_, [&](const Filter& filter) { return holds(filter, view); });
}

bool ContainerFilters::want_all() const {
  return std::any_of(filters_.begin(), filters_.end(),
                     [](const Filter& filter) { return filter.key == "status" || filter.key == "exited"; });
}

}  // namespace berth::cli
