// Files of the caller's in the form of the runtime specification.
#pragma once

#include <string>

#include "bundle/config.h"
#include "bundle/process.h"

namespace berth::lifecycle {

// config.json, and the file of `exec --process`, of at most bundle::kMaxConfigBytes. Warnings go to the log.
// Code::refused with the place and the value.
Result<bundle::Config> read_config(const std::string& path);
Result<bundle::Process> read_process(const std::string& path);

}  // namespace berth::lifecycle
