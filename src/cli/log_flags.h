// --log-driver and --log-opt.
#pragma once

#include <string>
#include <vector>

#include "cli/flags.h"
#include "engine/container/log_spec.h"

namespace berth::cli {

struct LogFlags {
  std::string driver;
  std::vector<std::string> options;
};

void add_log_flags(Flags& line, LogFlags& flags);

// Code::usage with what there is.
Result<engine::LogSpec> log_spec(const LogFlags& flags);

}  // namespace berth::cli
