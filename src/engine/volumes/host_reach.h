// Which host users could get to a directory by its path.
#pragma once

#include <string>

namespace berth::engine {

// False if a directory on the way to `path` (absolute) lets in nobody but root. The directory itself does not
// count: a container that has it as its own can change its mode. Access lists are not read: where there is
// one it counts as a way in.
bool reachable_by_users(const std::string& path);

}  // namespace berth::engine
