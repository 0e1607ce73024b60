// What of a TOML text the TOML library may see. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::config {

inline constexpr size_t kMaxDots = 64;

// The same document in ASCII, line by line: comments are left out, and what is beyond ASCII in strings is
// escaped, since the library does not always know what such a letter is when it looks ahead.
//
// Code::refused, with file and line: text that is not UTF-8, control characters; letters beyond ASCII outside
// of comments and strings in double quotes; strings of several lines, which no setting needs; and more dots
// in a line than kMaxDots outside of strings. A dotted key nests a table for each of its dots, the library
// has no bound for them, and its tables destroy themselves recursively. A key can't go over a line's end, so
// it is enough to count the dots of each line.
Result<std::string> scan_document(std::string_view text, const std::string& file);

}  // namespace berth::config
