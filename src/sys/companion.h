// The other programs of berth.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::sys {

// The absolute path of another program of berth ("berth-monitor"): beside this one in a build tree or, once
// installed, in ../libexec/berth/, and "berth" itself in ../../bin/ seen from there. Never looked up in
// $PATH.
Result<std::string> companion_path(const std::string& name);

// For a program that executes itself again from a mount without a name (run_from_read_only()), where the link
// to it says nothing: an absolute path at which it was found before.
void name_own_program(const std::string& path);

// The absolute path of the calling program.
Result<std::string> own_program_path();

}  // namespace berth::sys
