#include "engine/identity/host_users.h"

#include <algorithm>

#include <grp.h>
#include <pwd.h>

#include "base/accounts.h"
#include "engine/identity/identity_template.h"

namespace berth::engine {

namespace {

constexpr std::string_view kShell = "/bin/sh";

// What a field of glibc's may be: no pointer at all.
std::string text_of(const char* field) {
  return field == nullptr ? std::string() : std::string(field);
}

PasswdFields fields_of(const HostUserSpec& account, std::string_view home) {
  return {account.name,        account.uid,       account.gid,
          account.description, std::string(home), std::string(kShell)};
}

// Whether there is a mount at the path or at a directory above it.
bool is_mounted(const ContainerSpec& spec, std::string_view path) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [&](const MountSpec& mount) {
    std::string_view target = mount.target;
    while (target.ends_with('/')) target.remove_suffix(1);
    if (target.empty() || !path.starts_with(target)) return false;
    return path.size() == target.size() || path[target.size()] == '/';
  });
}

// False: the image has this very user.
Result<bool> is_missing(const HostUserSpec& account, std::string_view passwd) {
  const auto named = find_user(passwd, account.name);
  const auto numbered = find_user(passwd, account.uid);
  if (named && named->uid != account.uid) {
    return fail(Code::refused, "--hostuser {}: the image has a user of that name, with UID {} and not {}",
                account.name, named->uid, account.uid);
  }
  if (named) return false;
  if (!numbered) return true;
  return fail(Code::refused, "--hostuser {}: the image has UID {} already, by the name {}", account.name,
              account.uid, numbered->name);
}

// A GID that has a name in the image keeps that one.
Result<bool> group_is_missing(const HostUserSpec& account, std::string_view group) {
  if (account.group.empty() || find_group(group, account.gid)) return false;
  const auto named = find_group(group, account.group);
  if (!named) return true;
  return fail(Code::refused,
              "--hostuser {}: its group is {}, and the image has a group of that name with GID {} and not {}",
              account.name, account.group, named->gid, account.gid);
}

}  // namespace

Result<> add_account(const HostUserSpec& account, std::vector<HostUserSpec>& users) {
  TRY(check_account_name("user name", account.name));
  if (!account.group.empty()) TRY(check_account_name("group name", account.group));
  const std::string line = TRY(passwd_line(fields_of(account, account.home)));
  if (line.size() > kLongestEntry)
    return fail(Code::refused, "its entry has {} bytes; {} are the most", line.size(), kLongestEntry);
  for (const HostUserSpec& other : users) {
    if (other.name == account.name && other.uid == account.uid) return {};
    if (other.name != account.name && other.uid != account.uid) continue;
    return fail(Code::refused, "{} with UID {} and {} with UID {} can't both be in one container", other.name,
                other.uid, account.name, account.uid);
  }
  users.push_back(account);
  return {};
}

Result<> add_host_user(std::string_view text, std::vector<HostUserSpec>& users) {
  // berth is single-threaded, so the C library's own buffers will do.
  const passwd* entry = nullptr;
  if (is_number(text)) {
    entry = ::getpwuid(TRY(parse_id(text)));
  } else {
    entry = ::getpwnam(std::string(text).c_str());
  }
  if (entry == nullptr) return fail(Code::not_found, "the host has no such user");
  HostUserSpec account{text_of(entry->pw_name),  entry->pw_uid,          entry->pw_gid,
                       text_of(entry->pw_gecos), text_of(entry->pw_dir), {}};
  if (const group* primary = ::getgrgid(account.gid)) account.group = text_of(primary->gr_name);
  return add_account(account, users);
}

AccountFiles Accounts::files() const {
  if (wanted_.host_users.empty() && wanted_.host_groups.empty()) return image_;
  return {passwd_, group_};
}

WantedEntries Accounts::wanted_by(const ResolvedUser& user) const {
  WantedEntries wanted = wanted_;
  if (std::find(at_home_.begin(), at_home_.end(), user.uid.value()) != at_home_.end())
    wanted.mounted_home = user.home;
  return wanted;
}

Result<Accounts> accounts_of(const ContainerSpec& spec, const AccountFiles& image,
                             std::string_view working_directory) {
  Accounts accounts;
  accounts.image_ = image;
  WantedEntries& wanted = accounts.wanted_;
  wanted.any = spec.account_entries;
  wanted.passwd_template = spec.passwd_entry;
  wanted.group_template = spec.group_entry;
  if (spec.host_users.empty()) return accounts;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  for (const HostUserSpec& account : spec.host_users) {
    // Container root's home is looked at by nobody.
    const bool at_home = is_mounted(spec, account.home) || account.uid == 0;
    if (TRY(is_missing(account, image.passwd.value_or("")))) {
      const std::string_view elsewhere = working_directory.empty() ? "/" : working_directory;
      const PasswdFields fields = fields_of(account, at_home ? std::string_view(account.home) : elsewhere);
      users.push_back(TRY(passwd_line(fields)));
      wanted.host_users.push_back(fields);
      if (at_home) accounts.at_home_.push_back(account.uid);
    }
    const auto same_gid = [&](const auto& entry) { return entry.second == account.gid; };
    const bool known = std::any_of(wanted.host_groups.begin(), wanted.host_groups.end(), same_gid);
    if (!known && TRY(group_is_missing(account, image.group.value_or("")))) {
      groups.push_back(TRY(group_line(account.group, account.gid)));
      wanted.host_groups.emplace_back(account.group, account.gid);
    }
  }
  accounts.passwd_ = with_lines(image.passwd.value_or(""), users);
  accounts.group_ = with_lines(image.group.value_or(""), groups);
  return accounts;
}

}  // namespace berth::engine
