// What `berth events` tells of containers and images, from the engine's records and volumes. For a network
// there is no more to it than events::record().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/events.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Something has happened to a container: `action` is one of events.h's, `attributes` what belongs to it. The
// container's labels are added. Call it after the fact; it never fails (events::record()).
void announce(const store::Store& store, const store::ContainerRecord& record, std::string_view action,
              std::vector<events::Attribute> attributes = {});

// What would be told, for those who tell it when the store is closed.
events::Event event_of(const store::ContainerRecord& record, std::string_view action,
                       std::vector<events::Attribute> attributes = {});

// It has died: with its exit status, or without one where that is not known, and why.
void announce_death(const store::Store& store, const store::ContainerRecord& record,
                    std::optional<int64_t> status, std::string_view reason = {});

// Something has happened to an image: `id` as the store has it, `name` as it was called in the command.
void announce_image(const store::Store& store, std::string_view action, const std::string& id,
                    const std::string& name);

// Something has happened to a volume.
void announce_volume(const store::Store& store, std::string_view action, const std::string& name);

}  // namespace berth::engine
