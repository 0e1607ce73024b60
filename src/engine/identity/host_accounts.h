// Users and groups of the host, by the names that its administrator uses.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/ids.h"

namespace berth::engine {

struct HostAccount {
  HostUid uid;
  HostGid gid;
};

// "USER[:GROUP]", names of the name service's (getpwnam, getgrnam) or numbers. An all-digit word is a number
// and never looked up as a name. Without GROUP it is the user's primary group; a number without an account
// needs a GROUP. Code::not_found for a name that nobody has.
Result<HostAccount> find_host_account(std::string_view text);

}  // namespace berth::engine
