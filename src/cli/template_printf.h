// printf, as far as templates have it: %s %v %d %q %t %x %X %o %b %f %e %g %%, with the flags - + # 0 and
// space, a width and a precision.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/template_value.h"

namespace berth::cli::templates {

// Lists are formatted one by one, as Go does. Code::usage where Go would write %!d(string=…): for a value
// that is nothing for its verb, one too many or too few, a verb that there is not, a width over 1000.
Result<std::string> formatted(std::string_view format, std::span<const Value> values);

// How many bytes the first `count` characters of a text in UTF-8 are; all, if it has fewer.
size_t bytes_of_characters(std::string_view text, size_t count);

}  // namespace berth::cli::templates
