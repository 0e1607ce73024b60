// Where systemd makes the cgroups: the container's scope, and one for its monitor, which would otherwise end
// with whatever started it - the session of a user, a service.
#pragma once

#include <string_view>

#include <sys/types.h>

#include "base/error.h"
#include "monitor/protocol.h"

namespace berth::monitor {

// Asks systemd for both at once. `process` is the container's, which waits. When it returns it is in the
// cgroup request.path, and this process in one beside it.
Result<> start_scopes(const CgroupRequest& request, pid_t process);

// Whether the process is in that cgroup of v2.
Result<bool> is_in_v2(pid_t process, std::string_view path);

}  // namespace berth::monitor
