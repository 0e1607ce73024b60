// Signals as people write them.
#pragma once

#include <optional>
#include <string_view>

namespace berth::sys {

// "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1"; nullopt: there is none of that name or number.
std::optional<int> signal_number(std::string_view text);

}  // namespace berth::sys
