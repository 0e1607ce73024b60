// The lines of ps(1) that are about certain processes. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/error.h"

namespace berth::runtime_cli {

// The header, and the lines whose column PID has one of these. An error if there is no such column.
Result<std::string> lines_about(std::string_view output, std::span<const pid_t> processes);

}  // namespace berth::runtime_cli
