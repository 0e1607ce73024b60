// The value of --userns: where a container's user namespace comes from. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "idmap/map_request.h"

namespace berth::idmap {

// "private": a user namespace of its own, in banks of its own.
struct UsernsPrivate {
  friend bool operator==(const UsernsPrivate&, const UsernsPrivate&) = default;
};
// "host": none.
struct UsernsHost {
  friend bool operator==(const UsernsHost&, const UsernsHost&) = default;
};
// "keep-id[:uid=N,gid=N]": as private, but one user and one group inside are the caller's own on the host.
struct UsernsKeepId {
  std::optional<uint32_t> uid;  // inside; left out: the same number as on the host
  std::optional<uint32_t> gid;
  friend bool operator==(const UsernsKeepId&, const UsernsKeepId&) = default;
};
// "container:NAME": that of another container, with its map.
struct UsernsOfContainer {
  std::string name;  // or ID; not empty
  friend bool operator==(const UsernsOfContainer&, const UsernsOfContainer&) = default;
};
// "ns:PATH": one that is there already.
struct UsernsOfPath {
  std::string path;  // absolute
  friend bool operator==(const UsernsOfPath&, const UsernsOfPath&) = default;
};
// "auto[:size=N,uidmapping=C:H:S,gidmapping=C:H:S]", podman's word for private.
struct UsernsAuto {
  std::optional<uint32_t> size;     // how many IDs; left out: a bank
  std::vector<MapRequest> mapping;  // what is mapped beside them; each adds, and is for one kind only
  friend bool operator==(const UsernsAuto&, const UsernsAuto&) = default;
};

using UsernsMode =
    std::variant<UsernsPrivate, UsernsHost, UsernsKeepId, UsernsOfContainer, UsernsOfPath, UsernsAuto>;

// Code::usage, with a message for each kind of mistake. A name is not looked up and a path not opened.
Result<UsernsMode> parse_userns_mode(std::string_view value);

// The value that means the same: "keep-id:uid=1000".
std::string userns_text(const UsernsMode& mode);

}  // namespace berth::idmap
