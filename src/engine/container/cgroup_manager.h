// Who makes the cgroups of containers: systemd where it runs, or berth by itself.
#pragma once

#include <string>

#include "base/error.h"
#include "config/config.h"
#include "engine/container/resource_spec.h"

namespace berth::engine {

// The slice in which systemd is to make a container's scope; "" where berth makes the cgroup itself. Of a
// host without systemd that is one look at a directory. Where systemd runs and can't be reached it is an
// error if the configuration asks for it, and else a warning. Code::usage for --cgroup-parent if that has to
// be a slice and is none, Code::refused if it can't be one.
Result<std::string> slice_for(const ResourceSpec& spec, const config::Config& config);

}  // namespace berth::engine
