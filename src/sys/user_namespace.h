// A user namespace that nobody lives in, for mounts that map IDs otherwise than a container does.
#pragma once

#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// Writes the maps of a new user namespace (the text of /proc/PID/uid_map and gid_map; user_namespaces(7)).
// `process`: the directory in /proc of a process in it. Needs CAP_SETUID and CAP_SETGID.
Result<> write_id_maps(int process, const std::string& uid_map, const std::string& gid_map);

// A new user namespace with these maps. It lives as long as the descriptor, and as the mounts that use it.
// Needs a single-threaded caller, and /proc.
Result<UniqueFd> make_user_namespace(const std::string& uid_map, const std::string& gid_map);

}  // namespace berth::sys
