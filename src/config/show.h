// The configuration as `berth config` prints it: every value with where it comes from. Pure.
#pragma once

#include <string>

#include "config/config.h"

namespace berth::config {

// TOML that parse() reads to the same values; where each comes from is a comment behind it.
std::string show_toml(const Config& config);

// {"policy": {"require-private": {"value": true, "from": "/etc/berth/berth.toml:3"}, …}, …} and a newline.
// What is not limited has the value null.
std::string show_json(const Config& config);

}  // namespace berth::config
