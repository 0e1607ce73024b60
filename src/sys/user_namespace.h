// A user namespace that nobody lives in, for mounts that map IDs otherwise than a container does.
#pragma once

#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// A new user namespace with these maps (the text of /proc/PID/uid_map and gid_map; user_namespaces(7)). It
// lives as long as the descriptor, and as the mounts that use it. Needs CAP_SETUID and CAP_SETGID, a
// single-threaded caller, and /proc.
Result<UniqueFd> make_user_namespace(const std::string& uid_map, const std::string& gid_map);

}  // namespace berth::sys
