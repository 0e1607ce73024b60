#include "engine/container/announce.h"

#include "engine/container/container_spec.h"

namespace berth::engine {

events::Event event_of(const store::ContainerRecord& record, std::string_view action,
                       std::vector<events::Attribute> attributes) {
  // What can't be read has no labels.
  if (const Result<ContainerSpec> spec = container_spec_from_json(record.spec)) {
    for (const Pair& label : spec->labels) attributes.push_back({label.key, label.value});
  }
  return {.type = events::Type::container,
          .action = action,
          .id = record.id,
          .name = record.name,
          .image = record.image_name,
          .attributes = std::move(attributes)};
}

void announce(const store::Store& store, const store::ContainerRecord& record, std::string_view action,
              std::vector<events::Attribute> attributes) {
  events::record(store.root(), event_of(record, action, std::move(attributes)));
}

void announce_death(const store::Store& store, const store::ContainerRecord& record,
                    std::optional<int64_t> status, std::string_view reason) {
  std::vector<events::Attribute> attributes;
  if (status) attributes.push_back({std::string(events::kExitCode), fmt::format("{}", *status)});
  if (!reason.empty()) attributes.push_back({std::string(events::kReason), std::string(reason)});
  announce(store, record, events::kDied, std::move(attributes));
}

void announce_image(const store::Store& store, std::string_view action, const std::string& id,
                    const std::string& name) {
  events::record(store.root(), {.type = events::Type::image, .action = action, .id = id, .name = name});
}

void announce_volume(const store::Store& store, std::string_view action, const std::string& name) {
  events::record(store.root(), {.type = events::Type::volume, .action = action, .id = name, .name = name});
}

}  // namespace berth::engine
