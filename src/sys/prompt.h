// Asking a person at the terminal.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::sys {

enum class Echo { on, off };

// Writes `question` to the controlling terminal and reads a line from it, without its end. With Echo::off
// what is typed is not shown; the terminal is as before when the call returns, and also when a signal ends
// the process meanwhile. An error if there is no terminal.
Result<std::string> ask(const std::string& question, Echo echo);

}  // namespace berth::sys
