// Texts in quotes, as Go writes them: in templates, and as printf's %q makes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::cli::templates {

struct Quoted {
  std::string text;
  int64_t character = 0;  // of 'c': its code point
  size_t length = 0;      // of the whole, with its quotes
};

// `source` begins with a ", a ` or a '. Code::usage where it does not end, or an escape is not one of Go's.
Result<Quoted> read_quoted(std::string_view source);

// "text", with what can't be printed as escapes.
std::string in_quotes(std::string_view text);

}  // namespace berth::cli::templates
