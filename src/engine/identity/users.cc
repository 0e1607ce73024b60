#include "engine/identity/users.h"

#include <algorithm>

#include "base/accounts.h"
#include "engine/container/container_spec.h"

namespace berth::engine {

namespace {

// The kernel's NGROUPS_MAX.
constexpr size_t kMaxGroups = 65536;

struct Spec {
  std::string_view user;
  std::string_view group;
};

Result<Spec> split(const UserRequest& request) {
  const std::string_view text = request.spec;
  // Names end up in messages and are compared with fields, which hold none of these.
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    return fail(Code::refused, "{} \"{}\" holds a control character", request.spec_origin, text);
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return Spec{text, {}};
  const std::string_view group = text.substr(colon + 1);
  if (group.find(':') != std::string_view::npos) {
    return fail(Code::refused, "{} \"{}\" has more than one colon: it is USER or USER:GROUP",
                request.spec_origin, text);
  }
  return Spec{text.substr(0, colon), group};
}

Error no_such(const UserRequest& request, std::string_view what, std::string_view name, std::string_view file,
              bool file_exists) {
  Error error{Code::refused, 0, {}, {}};
  error.message = file_exists
                      ? fmt::format("no {} \"{}\" in the {}'s {}", what, name, request.files_of, file)
                      : fmt::format("no {} \"{}\": the {} has no {}", what, name, request.files_of, file);
  error.hint = fmt::format("Use a number, which needs no entry there.");
  return error;
}

Result<ContainerUid> checked(ContainerUid uid, const idmap::IdMap& map) {
  if (map.to_host(uid)) return uid;
  Error error{
      Code::refused, 0,
      fmt::format("UID {} is outside the container's map of user IDs ({})", uid.value(), map.describe()),
      "Choose a user ID that is in the map."};
  return std::unexpected(std::move(error));
}
Result<ContainerGid> checked(ContainerGid gid, const idmap::IdMap& map) {
  if (map.to_host(gid)) return gid;
  Error error{
      Code::refused, 0,
      fmt::format("GID {} is outside the container's map of group IDs ({})", gid.value(), map.describe()),
      "Choose a group ID that is in the map."};
  return std::unexpected(std::move(error));
}

Result<ContainerGid> resolve_group(const UserRequest& request, std::string_view group,
                                   const AccountFiles& files) {
  if (is_number(group)) return ContainerGid(TRY(parse_id(group)));
  const auto entry = find_group(files.group.value_or(""), group);
  if (!entry) return std::unexpected(no_such(request, "group", group, "/etc/group", files.group.has_value()));
  return ContainerGid(entry->gid);
}

// The UID, and what the passwd entry says where there is one.
Result<ResolvedUser> resolve_uid(const UserRequest& request, std::string_view user,
                                 const AccountFiles& files) {
  const std::string_view passwd = files.passwd.value_or("");
  ResolvedUser resolved;
  std::optional<PasswdEntry> entry;
  if (user.empty() || is_number(user)) {
    const uint32_t uid = user.empty() ? 0 : TRY(parse_id(user));
    resolved.uid = ContainerUid(uid);
    entry = find_user(passwd, uid);
  } else {
    entry = find_user(passwd, user);
    if (!entry)
      return std::unexpected(no_such(request, "user", user, "/etc/passwd", files.passwd.has_value()));
  }
  if (entry) {
    resolved.uid = ContainerUid(entry->uid);
    resolved.gid = ContainerGid(entry->gid);
    resolved.name = entry->name;
    resolved.home = entry->home;
    resolved.shell = entry->shell;
    resolved.has_entry = true;
  }
  return resolved;
}

Result<> add_group(ResolvedUser& user, ContainerGid gid) {
  if (std::find(user.groups.begin(), user.groups.end(), gid) != user.groups.end()) return {};
  if (user.groups.size() == kMaxGroups) {
    return fail(Code::refused, "the user is in more than {} groups, which is the kernel's limit", kMaxGroups);
  }
  user.groups.push_back(gid);
  return {};
}

// All groups that name the user as a member.
Result<> add_groups_of_member(const UserRequest& request, std::string_view group_file,
                              const idmap::IdMap& gids, ResolvedUser& user) {
  std::vector<uint32_t> found;
  GroupReader reader(group_file);
  while (const auto entry = reader.next()) {
    if (has_member(*entry, user.name)) found.push_back(entry->gid);
  }
  // A hostile file names 100,000 groups, so no quadratic search for duplicates here.
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.size() >= kMaxGroups) {
    return fail(Code::refused, "the {}'s /etc/group puts the user {} into {} groups; the kernel allows {}",
                request.files_of, user.name, found.size(), kMaxGroups);
  }
  size_t left_out = 0;
  uint32_t example = 0;
  for (const uint32_t gid : found) {
    if (!gids.to_host(ContainerGid(gid))) {
      ++left_out;
      example = gid;
    } else if (ContainerGid(gid) != user.gid) {
      user.groups.emplace_back(gid);
    }
  }
  if (left_out > 0) {
    user.warnings.push_back(fmt::format(
        "The user {} is in group {} by the {}'s /etc/group, which is outside the container's map of "
        "group IDs ({}); {} of its groups left out.",
        user.name, example, request.files_of, gids.describe(),
        left_out == 1 ? "1 is" : fmt::format("{} are", left_out)));
  }
  return {};
}

}  // namespace

Result<ResolvedUser> user_of(const ContainerSpec& spec, std::string_view image_user,
                             const AccountFiles& files, const idmap::IdMap& uids, const idmap::IdMap& gids) {
  const bool own_choice = !spec.user.empty();
  ResolvedUser user = TRY(resolve_user({.spec = own_choice ? std::string_view(spec.user) : image_user,
                                        .spec_origin = own_choice ? "--user" : "the image's USER",
                                        .additional_groups = spec.additional_groups,
                                        .keeps_groups = spec.keep_groups},
                                       files, uids, gids));
  user.names_groups = spec.project.empty();
  return user;
}

Result<ResolvedUser> resolve_user(const UserRequest& request, const AccountFiles& files,
                                  const idmap::IdMap& uids, const idmap::IdMap& gids) {
  const auto origin = [&] { return fmt::format("{} \"{}\"", request.spec_origin, request.spec); };
  const Spec spec = TRY(split(request));
  ResolvedUser user = TRY_CONTEXT(resolve_uid(request, spec.user, files), "{}", origin());
  if (!spec.group.empty()) user.gid = TRY_CONTEXT(resolve_group(request, spec.group, files), "{}", origin());
  user.uid = TRY_CONTEXT(checked(user.uid, uids), "{}", origin());
  user.gid = TRY_CONTEXT(checked(user.gid, gids), "{}", origin());
  user.gid_has_entry = find_group(files.group.value_or(""), user.gid.value()).has_value();
  user.groups.push_back(user.gid);
  user.keeps_groups = request.keeps_groups;
  if (spec.group.empty() && user.has_entry && !user.keeps_groups) {
    TRY_CONTEXT(add_groups_of_member(request, files.group.value_or(""), gids, user), "{}", origin());
  }
  for (const std::string& group : request.additional_groups) {
    const ContainerGid named = TRY_CONTEXT(resolve_group(request, group, files), "--group-add \"{}\"", group);
    const ContainerGid gid = TRY_CONTEXT(checked(named, gids), "--group-add \"{}\"", group);
    TRY_CONTEXT(add_group(user, gid), "--group-add \"{}\"", group);
  }
  return user;
}

}  // namespace berth::engine
