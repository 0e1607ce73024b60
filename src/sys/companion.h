// The other programs of berth.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::sys {

// The absolute path of another program of berth ("berth-monitor"): beside this one in a build tree, or in
// ../libexec/berth/ once installed. Never looked up in $PATH.
Result<std::string> companion_path(const std::string& name);

}  // namespace berth::sys
