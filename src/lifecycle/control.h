// start, kill, pause and resume.
#pragma once

#include <string>

#include "lifecycle/directory.h"
#include "lifecycle/record.h"

namespace berth::lifecycle {

// Returns when the container's process has executed its command, or with why it has not.
Result<> start(const Root& root, const std::string& id);
// The same for one that was made just now. Its directory is locked until the command is executed.
Result<> start_created(const Root& root, Directory& directory, const Record& record);

// To its process or, with `all`, to all in its cgroup. Code::conflict: "container not running".
Result<> kill(const Root& root, const std::string& id, int signal, bool all);

Result<> pause(const Root& root, const std::string& id);
Result<> resume(const Root& root, const std::string& id);

}  // namespace berth::lifecycle
