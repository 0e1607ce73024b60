// events: what a container uses, and when it runs out of memory.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "lifecycle/directory.h"

namespace berth::lifecycle {

// Takes one line, without its newline. Its error ends the watching.
using TakeLine = std::function<Result<>(const std::string& line)>;

// One line with the statistics. Code::conflict for a container that has ended.
Result<> show_statistics(const Root& root, const std::string& id, const TakeLine& take);

// The statistics once every interval, and a line whenever memory runs out, until the container's process
// ends.
Result<> watch_events(const Root& root, const std::string& id, std::chrono::milliseconds interval,
                      const TakeLine& take);

}  // namespace berth::lifecycle
