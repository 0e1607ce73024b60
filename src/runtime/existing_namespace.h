// The maps of a user namespace that berth has not made.
#pragma once

#include <string>

#include "base/error.h"
#include "idmap/id_map.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct NamespaceMaps {
  idmap::IdMap users;
  idmap::IdMap groups;
};

// Code::usage where it is no user namespace, or the host's own.
Result<sys::UniqueFd> open_user_namespace(const std::string& path);

// `path` is the caller's: /proc/PID/ns/user, or a place where a namespace is bound. Errors as of
// open_user_namespace().
Result<NamespaceMaps> maps_of_namespace(const std::string& path);

}  // namespace berth::runtime
