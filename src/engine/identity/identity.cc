#include "engine/identity/identity.h"

#include <algorithm>
#include <climits>
#include <optional>

#include "base/accounts.h"
#include "engine/identity/identity_template.h"
#include "safepath/root.h"
#include "store/image_path.h"

namespace berth::engine {

namespace {

constexpr std::string_view kFallbackHome = "/tmp";
constexpr std::string_view kShell = "/bin/sh";

bool is_field(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c == ':' || c < 0x20 || c == 0x7F; });
}

Result<> check_field(std::string_view what, std::string_view text) {
  if (is_field(text)) return {};
  return fail(Code::refused, "the {} \"{}\" holds a colon or a control character", what, text);
}

bool is_home(std::string_view path) {
  return path.starts_with('/') && path.size() < PATH_MAX && is_field(path);
}

// A name that `taken` does not know: the number itself, else one with letters in front of it.
template <typename Taken>
std::string free_name(uint32_t id, char letter, Taken taken) {
  std::string name = id == 0 ? "root" : std::to_string(id);
  if (taken(name)) name = std::to_string(id);
  while (taken(name)) name.insert(name.begin(), letter);
  return name;
}

bool permitted(const struct stat& st, const ResolvedUser& user, mode_t bits) {
  if (user.uid.value() == 0) return true;
  const mode_t mode = st.st_mode;
  if (st.st_uid == user.uid.value()) return (mode >> 6U & bits) == bits;
  const bool in_group =
      std::find(user.groups.begin(), user.groups.end(), ContainerGid(st.st_gid)) != user.groups.end();
  return ((in_group ? mode >> 3U : mode) & bits) == bits;
}

bool can_live_in(const store::LayerStack& image, std::string_view path, const ResolvedUser& user) {
  const Result<store::ImagePath> place = store::follow(image, path);
  if (!place || !place->exists() || !S_ISDIR(place->target->st_mode)) return false;
  return may_write(*place->target, user) &&
         std::all_of(place->searched.begin(), place->searched.end(),
                     [&](const struct stat& st) { return may_search(st, user); });
}

// Where a whole line stands in the text; npos if it does not.
size_t find_line(std::string_view text, std::string_view line) {
  for (size_t at = text.find(line); at != std::string_view::npos; at = text.find(line, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::string> passwd_line(const PasswdFields& fields) {
  TRY(check_field("user name", fields.name));
  TRY(check_field("user's description", fields.gecos));
  TRY(check_field("home directory", fields.home));
  TRY(check_field("shell", fields.shell));
  return fmt::format("{}:x:{}:{}:{}:{}:{}\n", fields.name, fields.uid, fields.gid, fields.gecos, fields.home,
                     fields.shell);
}

Result<std::string> group_line(std::string_view name, uint32_t gid) {
  TRY(check_field("group name", name));
  return fmt::format("{}:x:{}:\n", name, gid);
}

MissingEntries missing_entries(const AccountFiles& files, const ResolvedUser& user,
                               const WantedEntries& wanted) {
  MissingEntries missing;
  if (!wanted.any) return missing;
  missing.users = wanted.host_users;
  missing.groups = wanted.host_groups;
  const std::string_view passwd = files.passwd.value_or("");
  const std::string_view group = files.group.value_or("");
  const uint32_t uid = user.uid.value();
  const auto of_host = [&](uint32_t id) {
    return std::any_of(wanted.host_users.begin(), wanted.host_users.end(),
                       [&](const PasswdFields& fields) { return fields.uid == id; });
  };
  if (!files.passwd && uid != 0 && !of_host(0))
    missing.users.push_back({"root", 0, 0, "root", "/root", std::string(kShell)});
  if (!user.has_entry) {
    const auto taken = [&](const std::string& name) {
      return find_user(passwd, name) ||
             std::any_of(missing.users.begin(), missing.users.end(),
                         [&](const PasswdFields& fields) { return fields.name == name; });
    };
    missing.users.push_back(
        {free_name(uid, 'u', taken), uid, user.gid.value(), "Container user", "", std::string(kShell)});
  }
  const auto group_taken = [&](const std::string& name) {
    return find_group(group, name) || std::any_of(missing.groups.begin(), missing.groups.end(),
                                                  [&](const auto& entry) { return entry.first == name; });
  };
  const auto add_group = [&](uint32_t gid) {
    missing.groups.emplace_back(free_name(gid, 'g', group_taken), gid);
  };
  const bool has_root = std::any_of(missing.groups.begin(), missing.groups.end(),
                                    [](const auto& entry) { return entry.second == 0; });
  if (!files.group && user.gid.value() != 0 && !has_root) add_group(0);
  for (const ContainerGid gid : user.groups) {
    if (!user.names_groups && gid != user.gid) continue;
    const bool added = std::any_of(missing.groups.begin(), missing.groups.end(),
                                   [&](const auto& entry) { return entry.second == gid.value(); });
    if (!added && !find_group(group, gid.value())) add_group(gid.value());
  }
  return missing;
}

namespace {

// A name in passwd or group stands for one ID: of two, the first counts, and the second is nobody.
template <typename Reader, typename Find>
Result<> check_name_is_free(const std::vector<std::string>& lines, const std::string& line,
                            std::string_view file, std::string_view path, Find find) {
  const std::string_view name = Reader(line).next()->name;
  const bool among_lines = std::any_of(lines.begin(), lines.end(), [&](const std::string& other) {
    const auto entry = Reader(other).next();
    return entry && entry->name == name;
  });
  if (among_lines) return fail(Code::refused, "two entries for {} would have the name \"{}\"", path, name);
  if (find(file, name))
    return fail(Code::refused, "the image's {} has the name \"{}\" already, for another ID", path, name);
  return {};
}

Result<> add_passwd_line(AddedLines& added, const IdentityRequest& request, PasswdFields& fields,
                         bool& template_used) {
  const WantedEntries& wanted = request.wanted;
  const bool own = fields.uid == request.user.uid.value();
  const bool of_host = std::any_of(wanted.host_users.begin(), wanted.host_users.end(),
                                   [&](const PasswdFields& other) { return other.uid == fields.uid; });
  if (own) fields.home = added.home;
  std::string line;
  // The entry that is there so that root has one is nobody's wish.
  if (!wanted.passwd_template.empty() && (own || of_host)) {
    line = TRY(passwd_line_from(wanted.passwd_template, fields));
    if (own) added.home = PasswdReader(line).next()->home;
    template_used = true;
  } else {
    line = TRY(passwd_line(fields));
  }
  TRY(check_name_is_free<PasswdReader>(
      added.passwd, line, request.files.passwd.value_or(""), "/etc/passwd",
      [](std::string_view file, std::string_view name) { return find_user(file, name).has_value(); }));
  added.passwd.push_back(std::move(line));
  return {};
}

// The user's name as it is once the lines are there.
std::string name_of(const ResolvedUser& user, const AddedLines& added) {
  for (const std::string& line : added.passwd) {
    const auto entry = PasswdReader(line).next();
    if (entry && entry->uid == user.uid.value()) return std::string(entry->name);
  }
  return user.name;
}

}  // namespace

Result<AddedLines> added_lines(const IdentityRequest& request, std::string_view home) {
  const WantedEntries& wanted = request.wanted;
  AddedLines added;
  added.home = home;
  if (!wanted.any) return added;
  MissingEntries missing = missing_entries(request.files, request.user, wanted);
  bool user_template_used = false;
  bool group_template_used = false;
  for (PasswdFields& fields : missing.users) TRY(add_passwd_line(added, request, fields, user_template_used));
  const std::string member = name_of(request.user, added);
  for (const auto& [name, gid] : missing.groups) {
    const bool own = gid == request.user.gid.value() && !wanted.group_template.empty();
    std::string line =
        own ? TRY(group_line_from(wanted.group_template, {name, gid, member})) : TRY(group_line(name, gid));
    group_template_used = group_template_used || own;
    TRY(check_name_is_free<GroupReader>(
        added.group, line, request.files.group.value_or(""), "/etc/group",
        [](std::string_view file, std::string_view group) { return find_group(file, group).has_value(); }));
    added.group.push_back(std::move(line));
  }
  if (!wanted.passwd_template.empty() && !user_template_used) {
    added.warnings.push_back(
        fmt::format("--passwd-entry is not used: the image's /etc/passwd has an entry for UID {} already.",
                    request.user.uid.value()));
  }
  if (!wanted.group_template.empty() && !group_template_used) {
    added.warnings.push_back(
        fmt::format("--group-entry is not used: the image's /etc/group has an entry for GID {} already.",
                    request.user.gid.value()));
  }
  return added;
}

std::string with_lines(std::string_view text, std::span<const std::string> lines) {
  std::string out(text);
  if (!lines.empty() && !out.empty() && out.back() != '\n') out += '\n';
  for (const std::string& line : lines) out += line;
  return out;
}

std::string without_lines(std::string_view text, std::span<const std::string> lines,
                          std::string_view original) {
  std::string out(text);
  for (const std::string& line : lines) {
    const size_t at = find_line(out, line);
    if (at != std::string::npos) out.erase(at, line.size());
  }
  // with_lines() may have ended the image's last line.
  const bool only_newline_added =
      out.size() == original.size() + 1 && out.starts_with(original) && out.back() == '\n';
  if (only_newline_added && text.size() > out.size()) out.pop_back();
  return out;
}

std::optional<std::string> own_passwd_warning(std::optional<std::string_view> passwd_in_upper,
                                              const ResolvedUser& user) {
  const uint32_t uid = user.uid.value();
  if (!passwd_in_upper) {
    return fmt::format("The container has removed /etc/passwd, so UID {} has no name in it.", uid);
  }
  if (find_user(*passwd_in_upper, uid)) return std::nullopt;
  return fmt::format(
      "The container has changed /etc/passwd and keeps its own, which has no entry for UID {}; none is added "
      "to it.",
      uid);
}

bool may_write(const struct stat& directory, const ResolvedUser& user) {
  return permitted(directory, user, 03);
}
bool may_search(const struct stat& directory, const ResolvedUser& user) {
  return permitted(directory, user, 01);
}

std::string choose_home(const store::LayerStack& image, const ResolvedUser& user,
                        std::string_view working_directory) {
  return choose_home([&](std::string_view path) { return can_live_in(image, path, user); }, user,
                     working_directory);
}

std::string choose_home(const CanLiveIn& can_live_in, const ResolvedUser& user,
                        std::string_view working_directory) {
  const auto fits = [&](std::string_view path) { return is_home(path) && can_live_in(path); };
  if (user.has_entry && home_is_certain(user)) return user.home;
  const std::string_view entry =
      user.uid.value() == 0 && !user.has_entry ? "/root" : std::string_view(user.home);
  if (fits(entry)) return std::string(entry);
  const bool is_root_directory = safepath::relative(working_directory).empty();
  if (!is_root_directory && fits(working_directory)) return std::string(working_directory);
  return std::string(kFallbackHome);
}

bool home_is_certain(const ResolvedUser& user) {
  return user.uid.value() == 0 && user.has_entry && is_home(user.home);
}

}  // namespace berth::engine
