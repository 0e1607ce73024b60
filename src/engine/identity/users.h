// Which user a container's process is: a user spec, resolved against the image's passwd and group. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_map.h"

namespace berth::engine {

// The image's files as they are in its merged root file system; nullopt where there is none.
struct AccountFiles {
  std::optional<std::string_view> passwd;
  std::optional<std::string_view> group;
};

struct UserRequest {
  // -u, or the image's USER: "", "name", "uid", "user:group" with a name or a number on either side,
  // ":group".
  std::string_view spec;
  std::string_view spec_origin = "--user";           // for messages: "--user", "the image's USER"
  std::span<const std::string> additional_groups{};  // --group-add: names or numbers
  bool keeps_groups = false;                         // --group-add keep-groups
  std::string_view files_of = "image";               // likewise, whose passwd and group it is
};

struct ResolvedUser {
  ContainerUid uid;
  ContainerGid gid;
  // For setgroups(2): the primary group first (a process that is not in the list of its own group passes by
  // negative group permissions, CVE-2022-2989 and kin), then the others, each once.
  std::vector<ContainerGid> groups;
  // Of the passwd entry; empty where has_entry is false (the identity layer knows what is used then).
  std::string name;
  std::string home;
  std::string shell;
  bool has_entry = false;      // passwd names the UID
  bool gid_has_entry = false;  // group names the primary GID
  // Whether supplementary groups without an entry are given a name. Those of a project's containers are not,
  // as on the platforms that assign IDs: `id` prints groups=0(root),1000040000.
  bool names_groups = true;
  // The process keeps the groups that it inherits (kept_groups.h), and is given none: `groups` has the
  // primary one, for what is decided by it.
  bool keeps_groups = false;
  std::vector<std::string> warnings;  // whole sentences
};

struct ContainerSpec;
// The user that a container's settings mean: --user and --group-add, else the image's USER.
Result<ResolvedUser> user_of(const ContainerSpec& spec, std::string_view image_user,
                             const AccountFiles& files, const idmap::IdMap& uids, const idmap::IdMap& gids);

// The rules:
// - An all-digit user or group is a number and never looked up as a name; numbers are read in 64 bits and
// refused
//   above 4294967294. Nothing that does not parse becomes 0: what is no number is a name, and a name must
//   have an entry.
// - An empty user is 0. A numeric user without an entry has GID 0. A numeric one with an entry has that
// entry's GID, home
//   and supplementary groups, as podman has it.
// - With an explicit group there are no supplementary groups from the group file, as podman has it.
// - Who keeps the caller's groups has no others, as podman has it.
// - Every ID must be in its map, else it is refused; only supplementary groups of the group file that are not
// in the map
//   are left out, with a warning.
Result<ResolvedUser> resolve_user(const UserRequest& request, const AccountFiles& files,
                                  const idmap::IdMap& uids, const idmap::IdMap& gids);

}  // namespace berth::engine
