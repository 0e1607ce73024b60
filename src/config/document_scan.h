// What a TOML text must keep to before the TOML library may see it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::config {

// Code::refused, with file and line: control characters; letters beyond ASCII outside of strings and
// comments, where the library does not always know what they are; strings of several lines, which no setting
// needs; and more dots in a line than kMaxDots outside of strings.
//
// A dotted key nests a table for each of its dots, the library has no bound for them, and its tables destroy
// themselves recursively. A key can't go over a line's end, so it is enough to count the dots of each line.
Result<> scan_document(std::string_view text, const std::string& file);

inline constexpr size_t kMaxDots = 64;

}  // namespace berth::config
