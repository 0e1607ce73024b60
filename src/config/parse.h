// From the text of a configuration file to its values. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

namespace berth::config {

// What is built in, with what `text` sets. Code::refused, "FILE:LINE: " in front: text that is not TOML, a
// key that does not exist (the nearest one is the hint), a value of another type or that can't be. Whether
// names of policies exist is not looked at here, since another file may have them: check_names() does.
Result<Config> parse(std::string_view text, const std::string& file);

// That the policies that are named exist, and that the defaults are what the policy allows.
Result<> check_names(const Config& config);

}  // namespace berth::config
