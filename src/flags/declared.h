// How a program asks a command for what it takes.
#pragma once

namespace berth::flags {

// As the only word of a command's line it makes Flags::parse() print, in the place of the help and for
// programs,
//
//   usage <tab> the usage line
//   rest                                         if what follows the first word is not the command's
//   flag <tab> names, with commas between <tab> "value" or nothing <tab> choices likewise <tab> text
//
// and nothing else happens.
inline constexpr const char* kDeclaredFlags = "--declared-flags";

}  // namespace berth::flags
