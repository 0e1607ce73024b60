// The networks' part of `berth inspect`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "store/store.h"

namespace berth::cli {

// NetworkSettings, in podman's shape: addresses while it runs, and what leads to which of its ports.
Result<nlohmann::ordered_json> describe_network_settings(store::Store& store, const std::string& id,
                                                         const engine::ContainerSpec& spec);

// PortBindings of HostConfig: "80/tcp" with the host's addresses and ports.
nlohmann::ordered_json describe_port_bindings(const engine::ContainerSpec& spec);

}  // namespace berth::cli
