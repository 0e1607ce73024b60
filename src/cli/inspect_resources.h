// What `berth inspect` says of a container's limits.
#pragma once

#include <nlohmann/json.hpp>

#include "engine/container/resource_spec.h"

namespace berth::cli {

// Adds podman's fields of HostConfig; 0, "" and [] where nothing was asked for.
void describe_resources(const engine::ResourceSpec& spec, nlohmann::ordered_json& host_config);

}  // namespace berth::cli
