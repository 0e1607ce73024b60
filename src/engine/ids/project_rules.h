// What a project makes of what its containers are asked to be: whose project it is, what its policy allows,
// and as whom they run.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "engine/identity/users.h"
#include "ledger/projects.h"
#include "store/containers.h"
#include "store/database.h"
#include "store/images.h"

namespace berth::engine {

struct ProjectRules {
  ledger::Project project;
  config::ProjectPolicy policy;
};

// Code::not_found where there is no such project, or no such policy any more; Code::refused where `user`, the
// caller's name on the host, may not use the project, or the configuration allows its policy no more.
Result<ProjectRules> project_rules(store::Database& db, const config::Config& config,
                                   const std::string& project, const std::string& user);

// Puts the rules into a container's settings, so that every start means the same whatever the project and its
// policy are by then. Once more changes nothing. Pure. Code::usage for what a project settles itself,
// Code::refused for what its policy forbids.
//
// Always: private namespaces, the project's map, berth's own seccomp filter, no device of the host's, and no
// capability that the policy does not name. And by the policy's base:
// - restricted: UID, the assigned range's first or one within it that --user names; GID 0, or one of the
// range;
//   the range's first as supplementary group. The image's USER counts for nothing.
// - nonroot: --user or the image's USER, if its user is a number (a name is the image's to give to anybody)
//   and not 0.
// - anyuid: whatever --user or the image says.
Result<> apply_rules(const ProjectRules& rules, std::string_view image_user, const AccountFiles& files,
                     ContainerSpec& spec);

// The group that a new volume of the project's container has, as with OpenShift's fsGroup: under a restricted
// policy the range's first ID, which each of its processes has as supplementary group. None for the others.
Result<std::optional<ContainerGid>> volume_group(store::Database& db, const config::Config& config,
                                                 const std::string& user, const ContainerSpec& spec);

// Both of them for a new container; nothing where the settings name no project.
Result<> settle_project(store::Database& db, const config::Config& config, const std::string& user,
                        const store::ImageRecord& image, ContainerSpec& spec);

// Whether a container of a project may start still: for this caller, and by the policy as it is now.
Result<> check_project_still(store::Database& db, const config::Config& config, const std::string& user,
                             const store::ImageRecord& image, const ContainerSpec& spec);

}  // namespace berth::engine
