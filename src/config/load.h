// Reads the configuration files.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/error.h"
#include "config/config.h"

namespace berth::config {

inline constexpr const char* kSystemFile = "/etc/berth/berth.toml";

struct Sources {
  std::string system = kSystemFile;
  // Who must own the system's file. Nobody else may be able to write to it, since it is the policy.
  uid_t owner = 0;
  // What BERTH_CONFIG names; empty: nothing. Anybody's file, as it can only tighten.
  std::string second;
};

// The places, with the environment's BERTH_CONFIG.
Sources sources_from_environment();

// The effective configuration. A system's file that is not there is what is built in, at the cost of one
// open; a second one that is not there is an error. Code::refused: not a regular file, owned by somebody
// else, writable for others, too long, or not what parse() and merge() accept.
Result<Config> load(const Sources& sources);

}  // namespace berth::config
