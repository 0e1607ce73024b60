// Asking before something is removed.
#pragma once

#include <string_view>

namespace berth::cli {

// Prints what is about to happen to the standard error and reads the answer from the standard input: y, Y and
// yes are a yes, all else and the end of the input is none.
bool confirmed(std::string_view consequence);

}  // namespace berth::cli
