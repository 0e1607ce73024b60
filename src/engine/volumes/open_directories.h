// Host directories in which a container could leave what makes a user of the host root: a setuid file
// (CVE-2025-64507).
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "idmap/id_map.h"

namespace berth::engine {

// Code::refused where policy.allow-open-directories is false and the container could write as the host's root
// where a mount of the spec shows a directory that users of the host can get to. `users` is the container's
// map; none: the host's IDs. When it is made and at every start.
Result<> check_open_directories(const ContainerSpec& spec, const std::optional<idmap::IdMap>& users,
                                const config::Config& config);

}  // namespace berth::engine
