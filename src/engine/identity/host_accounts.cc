#include "engine/identity/host_accounts.h"

#include <optional>
#include <string>

#include <grp.h>
#include <pwd.h>

#include "base/accounts.h"
#include "idmap/id_range.h"

namespace berth::engine {

namespace {

Result<uint32_t> to_number(std::string_view text) {
  const Result<uint32_t> id = parse_id(text);
  if (!id) return fail(Code::usage, "{} is no ID", text);
  return *id;
}

// berth is single-threaded, so the C library's own buffers will do.
Result<HostAccount> find_user(const std::string& name, bool needs_group) {
  if (!is_number(name)) {
    const passwd* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) return fail(Code::not_found, "the host has no user \"{}\"", name);
    return HostAccount{HostUid(entry->pw_uid), HostGid(entry->pw_gid)};
  }
  const uint32_t uid = TRY(to_number(name));
  const passwd* entry = ::getpwuid(uid);
  if (entry != nullptr) return HostAccount{HostUid(uid), HostGid(entry->pw_gid)};
  if (needs_group) {
    return fail(Code::not_found, "the host has no user {}, so its group has to be given: {}:GROUP", name,
                name);
  }
  return HostAccount{HostUid(uid), HostGid(0)};
}

Result<HostGid> find_group(const std::string& name) {
  if (is_number(name)) return HostGid(TRY(to_number(name)));
  const group* entry = ::getgrnam(name.c_str());
  if (entry == nullptr) return fail(Code::not_found, "the host has no group \"{}\"", name);
  return HostGid(entry->gr_gid);
}

}  // namespace

Result<HostAccount> find_host_account(std::string_view text) {
  const size_t colon = text.find(':');
  const bool has_group = colon != std::string_view::npos;
  HostAccount account = TRY(find_user(std::string(text.substr(0, colon)), !has_group));
  if (has_group) account.gid = TRY(find_group(std::string(text.substr(colon + 1))));
  return account;
}

}  // namespace berth::engine
