// The other programs of berth.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::sys {

// The absolute path of another program of berth ("berth-monitor"): beside this one in a build tree or, once
// installed, in ../libexec/berth/, and "berth" itself in ../../bin/ seen from there. Never looked up in
// $PATH.
Result<std::string> companion_path(const std::string& name);

}  // namespace berth::sys
