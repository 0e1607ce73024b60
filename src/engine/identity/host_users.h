// --hostuser: users of the host in a container's passwd and group.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "engine/identity/identity.h"
#include "engine/identity/users.h"

namespace berth::engine {

// Looks a user of the host up, by name or UID (an all-digit word is a UID and never looked up as a name), and
// puts it behind `users` unless it is among them. Code::not_found if the host has no such user, Code::refused
// if it can't stand in a passwd file, or if another of `users` has its name or its UID.
Result<> add_host_user(std::string_view text, std::vector<HostUserSpec>& users);

// The same for an account that was found.
Result<> add_account(const HostUserSpec& account, std::vector<HostUserSpec>& users);

// What a container's user is looked up in, and what is wanted beside it. Without host users that is the
// image's files as they are.
class Accounts {
 public:
  // The image's files, and the host's users at their end.
  [[nodiscard]] AccountFiles files() const;
  // For the identity of `user`, who was resolved against files().
  [[nodiscard]] WantedEntries wanted_by(const ResolvedUser& user) const;

 private:
  friend Result<Accounts> accounts_of(const ContainerSpec& spec, const AccountFiles& image,
                                      std::string_view working_directory);
  AccountFiles image_;
  WantedEntries wanted_;
  std::string passwd_;  // with the host's users, if there are any
  std::string group_;
  std::vector<uint32_t> at_home_;  // UIDs of host users at whose home directory a mount is
};

// As podman has it, a host user's shell is /bin/sh, and the home is the host's where a mount is at it or
// above it, else the working directory. Code::refused where the image has the name for another ID, or the UID
// by another name. An entry that the image has already is not added again. `spec` and `image` must outlive
// the result.
Result<Accounts> accounts_of(const ContainerSpec& spec, const AccountFiles& image,
                             std::string_view working_directory);

}  // namespace berth::engine
