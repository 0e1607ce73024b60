#include "engine/ids/project_rules.h"

#include <algorithm>

#include "base/accounts.h"
#include "base/letter_case.h"
#include "config/policy_checks.h"
#include "idmap/id_map.h"
#include "oci/capability_names.h"
#include "oci/image_config.h"

namespace berth::engine {

namespace {

// A flag that a project answers itself.
std::unexpected<Error> settled(std::string_view flag, const ProjectRules& rules, std::string_view what) {
  return fail(Code::usage, "{} can't go with --project {}: {}", flag, rules.project.name, what);
}

std::unexpected<Error> forbidden(std::string_view what, const ProjectRules& rules, std::string_view why,
                                 std::string hint) {
  Error error{Code::refused, 0,
              fmt::format("{} is refused by the policy of project {}, {}: {}", what, rules.project.name,
                          rules.project.policy, why),
              std::move(hint)};
  return std::unexpected(std::move(error));
}

Result<> check_ids(const ProjectRules& rules, const ContainerSpec& spec) {
  constexpr const char* kWhat = "its containers have its own IDs, and no others";
  if (!spec.userns.empty() && spec.userns != "private")
    return settled("--userns " + spec.userns, rules, kWhat);
  if (!spec.uid_maps.empty()) return settled("--uidmap", rules, kWhat);
  if (!spec.gid_maps.empty()) return settled("--gidmap", rules, kWhat);
  if (!spec.banks.empty()) return settled("--bank", rules, kWhat);
  if (spec.allow_shared_ids) return settled("--allow-shared-ids", rules, kWhat);
  return {};
}

Result<> check_isolation(const ProjectRules& rules, const ContainerSpec& spec) {
  if (spec.network == "host") {
    return forbidden("--network host", rules, "a project's namespaces are private", {});
  }
  if (spec.spaces.pid == kHostSpace)
    return forbidden("--pid host", rules, "a project's namespaces are private", {});
  if (spec.spaces.ipc == kHostSpace)
    return forbidden("--ipc host", rules, "a project's namespaces are private", {});
  if (spec.privileged) {
    return forbidden("--privileged", rules, "no policy of a project allows it",
                     "A policy may allow single capabilities: [project-policy.NAME] in the configuration.");
  }
  if (!spec.seccomp.empty())
    return forbidden("--security-opt seccomp", rules, "a project has berth's own filter", {});
  if (!spec.devices.empty())
    return forbidden(fmt::format("--device {}", spec.devices.front().source), rules,
                     "a project has none of the host's devices", {});
  if (spec.keep_groups)
    return forbidden("--group-add keep-groups", rules, "a project has none of the host's groups", {});
  for (const std::string& name : spec.capabilities_added) {
    std::string capability = capital(name);
    if (capability != "ALL") {
      const unsigned number = TRY_CONTEXT(oci::parse_capability(name), "--cap-add");
      capability = oci::capability_name(number);
    }
    TRY(config::check_capability(rules.policy, rules.project.policy, capability));
  }
  return {};
}

void tighten(const config::ProjectPolicy& policy, ContainerSpec& spec) {
  for (const std::string& name : policy.drop_capabilities.value) {
    auto& dropped = spec.capabilities_dropped;
    if (std::find(dropped.begin(), dropped.end(), name) == dropped.end()) dropped.push_back(name);
  }
  spec.read_only |= policy.read_only.value;
  spec.no_new_privileges |= policy.no_new_privileges.value;
}

std::unexpected<Error> out_of_range(const ProjectRules& rules, std::string_view user, std::string_view kind,
                                    uint32_t id) {
  const idmap::IdRange range = ledger::assigned_range(rules.project.number);
  Error error{Code::refused, 0,
              fmt::format("--user \"{}\": {} {} is not in the range of project {}, min: {} max: {}", user,
                          kind, id, rules.project.name, range.begin, range.end - 1),
              fmt::format("Its policy, {}, has every container run with IDs of that range; without --user it "
                          "is the first.",
                          rules.project.policy)};
  return std::unexpected(std::move(error));
}

Result<> assign_user(const ProjectRules& rules, const AccountFiles& files, ContainerSpec& spec) {
  const idmap::IdRange range = ledger::assigned_range(rules.project.number);
  uint64_t uid = range.begin;
  uint32_t gid = 0;
  if (!spec.user.empty()) {
    const idmap::IdMap& any = idmap::IdMap::whole();
    const ResolvedUser asked = TRY(resolve_user({.spec = spec.user}, files, any, any));
    uid = asked.uid.value();
    if (!range.contains(uid)) return out_of_range(rules, spec.user, "UID", asked.uid.value());
    // Of an entry that an image has for such a UID the group does not count.
    const size_t colon = spec.user.find(':');
    if (colon != std::string::npos && colon + 1 < spec.user.size()) gid = asked.gid.value();
    if (gid != 0 && !range.contains(gid)) return out_of_range(rules, spec.user, "GID", gid);
  }
  spec.user = fmt::format("{}:{}", uid, gid);
  const std::string group = std::to_string(range.begin);
  auto& groups = spec.additional_groups;
  if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  return {};
}

Result<> check_not_root(const ProjectRules& rules, std::string_view image_user, const ContainerSpec& spec) {
  const bool own_choice = !spec.user.empty();
  const std::string_view said = own_choice ? std::string_view(spec.user) : image_user;
  const std::string_view user = said.substr(0, said.find(':'));
  const std::string what =
      fmt::format("{} \"{}\"", own_choice ? "--user" : "the image's USER", printable(said));
  if (user.empty())
    return forbidden(what, rules, "it is root", "--user with a number other than 0 is allowed.");
  if (!is_number(user)) {
    return forbidden(what, rules, "only a number shows that it is not root",
                     "--user with a number other than 0 is allowed.");
  }
  if (TRY_CONTEXT(parse_id(user), "{}", what) == 0)
    return forbidden(what, rules, "it is root", "--user with a number other than 0 is allowed.");
  return {};
}

}  // namespace

Result<ProjectRules> project_rules(store::Database& db, const config::Config& config,
                                   const std::string& project, const std::string& user) {
  // Before anything is told of it.
  TRY(config::check_project(config, user, project));
  ledger::Project found = TRY_CONTEXT(ledger::find_project(db, project), "--project {}", project);
  config::ProjectPolicy policy =
      TRY_CONTEXT(config::find_project_policy(config, found.policy), "project {}", project);
  TRY(config::check_project_banks(config, policy, ledger::kBanksOfProject));
  return ProjectRules{std::move(found), std::move(policy)};
}

Result<> apply_rules(const ProjectRules& rules, std::string_view image_user, const AccountFiles& files,
                     ContainerSpec& spec) {
  TRY(check_ids(rules, spec));
  TRY(check_isolation(rules, spec));
  tighten(rules.policy, spec);
  spec.userns = "private";
  switch (rules.policy.base.value) {
    case config::PolicyBase::restricted:
      return assign_user(rules, files, spec);
    case config::PolicyBase::nonroot:
      return check_not_root(rules, image_user, spec);
    case config::PolicyBase::anyuid:
      return {};
  }
  return fail("project {} has a policy that is unknown", rules.project.name);
}

Result<> settle_project(store::Database& db, const config::Config& config, const std::string& user,
                        const store::ImageRecord& image, ContainerSpec& spec) {
  if (spec.project.empty()) return {};
  const ProjectRules rules = TRY(project_rules(db, config, spec.project, user));
  const oci::ImageConfig settings = TRY(oci::parse_image_config(image.config));
  return apply_rules(rules, settings.user, {image.passwd, image.group}, spec);
}

Result<std::optional<ContainerGid>> volume_group(store::Database& db, const config::Config& config,
                                                 const std::string& user, const ContainerSpec& spec) {
  if (spec.project.empty()) return std::nullopt;
  const ProjectRules rules = TRY(project_rules(db, config, spec.project, user));
  if (rules.policy.base.value != config::PolicyBase::restricted) return std::nullopt;
  return ContainerGid(static_cast<uint32_t>(ledger::assigned_range(rules.project.number).begin));
}

Result<> check_project_still(store::Database& db, const config::Config& config, const std::string& user,
                             const store::ImageRecord& image, const ContainerSpec& spec) {
  if (spec.project.empty()) return {};
  ContainerSpec by_now = spec;
  TRY(settle_project(db, config, user, image, by_now));
  const std::string before = TRY(to_json(spec));
  if (before == TRY(to_json(by_now))) return {};
  Error error{
      Code::refused, 0,
      fmt::format("the policy of project {} is stricter than when the container was made", spec.project),
      "A container keeps its user and settings for as long as it lives: remove it and make it anew."};
  return std::unexpected(std::move(error));
}

}  // namespace berth::engine
