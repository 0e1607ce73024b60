// What the configuration and a project's policy say of what one container may use.
#pragma once

#include <string>

#include "base/error.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "store/database.h"

namespace berth::engine {

// For a new container: what its flags do not say is as by default, and where a rule says how much is allowed,
// no more than that. Then check_resources().
Result<> settle_resources(store::Database& db, const config::Config& config, const std::string& user,
                          ContainerSpec& spec);

// Code::refused for more than is allowed, or no limit where there has to be one, with the rule and its place.
// `user` is the caller's name on the host, who may use the project, if the container has one.
Result<> check_resources(store::Database& db, const config::Config& config, const std::string& user,
                         const ContainerSpec& spec);

}  // namespace berth::engine
