#include "cli/container_view.h"

#include "cli/times.h"
#include "engine/container/pause.h"
#include "engine/container/unfinished.h"
#include "engine/health/health_check.h"
#include "engine/health/health_state.h"
#include "engine/plan_container.h"
#include "store/images.h"

namespace berth::cli {

std::string state_of(const store::Store& store, const store::ContainerRecord& record,
                     const std::optional<engine::LiveStatus>& live) {
  if (!live) return record.state;
  return engine::is_paused(store, record.id) ? "paused" : store::kRunning;
}

std::string status_text(const ContainerView& view) {
  const store::ContainerRecord& record = view.record;
  const auto ago = [](const std::optional<int64_t>& time) {
    return time ? " " + time_since(std::chrono::nanoseconds(*time)) + " ago" : std::string();
  };
  if (view.live) {
    const std::string more = view.state == store::kRunning ? view.health : "paused";
    return fmt::format("Up {}{}", time_since(std::chrono::nanoseconds(view.live->started_at)),
                       more.empty() ? "" : fmt::format(" ({})", more));
  }
  if (view.state == store::kCreated) return "Created";
  if (view.state == store::kRunning) return record.started_at ? "Ending" : "Starting";
  if (view.state == store::kRemoving) return "Removing";
  const std::string_view what = view.state == store::kExited ? "Exited" : "Restarting";
  if (record.exit_status) return fmt::format("{} ({}){}", what, *record.exit_status, ago(record.finished_at));
  return fmt::format("{} (unknown: {}){}", what, record.exit_reason, ago(record.finished_at));
}

const std::optional<oci::ImageConfig>& ContainerViews::image(const std::string& id) {
  const auto [found, is_new] = images_.try_emplace(id);
  if (is_new) {
    if (const auto image = store::find_image(store_, id)) {
      if (auto config = oci::parse_image_config(image->config)) found->second.emplace(std::move(*config));
    }
  }
  return found->second;
}

Result<ContainerView> ContainerViews::view(store::ContainerRecord record) {
  static const oci::ImageConfig kUnknown;
  ContainerView view;
  const auto known = live_.find(record.id);
  view.live = known != live_.end() ? known->second : engine::live_status(store_, record.id);
  if (!view.live) record = engine::as_it_is(store_, std::move(record));
  view.state = state_of(store_, record, view.live);
  view.spec = std::make_unique<engine::ContainerSpec>(
      TRY_CONTEXT(engine::container_spec_from_json(record.spec), "container {}", record.name));
  const std::optional<oci::ImageConfig>& found = image(record.image_id);
  const oci::ImageConfig& config = found ? *found : kUnknown;
  if (view.live && (!found || engine::health_check_of(*view.spec, config))) {
    if (const auto health = engine::health_state(store_, record.id)) view.health = health->status;
  }
  if (auto words = engine::command_line(*view.spec, config)) view.command = std::move(*words);
  view.labels = config.labels;
  for (const engine::Pair& label : view.spec->labels) view.labels[label.key] = label.value;
  view.record = std::move(record);
  return view;
}

}  // namespace berth::cli
