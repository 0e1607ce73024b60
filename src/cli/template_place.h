// Where something stands in a template, for what is said about it.
#pragma once

#include <cstdint>
#include <utility>

#include "base/error.h"

namespace berth::cli::templates {

// From 1 on; a character is a byte.
struct Place {
  uint32_t line = 1;
  uint32_t character = 1;
};

// "--format, character 12: …", and with the line where it is not the first.
inline Error error_text(Place place, std::string_view what) {
  const std::string line = place.line > 1 ? fmt::format("line {}, ", place.line) : std::string();
  return {Code::usage, 0, fmt::format("--format, {}character {}: {}", line, place.character, what), {}};
}

template <typename... Args>
std::unexpected<Error> error_at(Place place, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(error_text(place, fmt::format(format, std::forward<Args>(args)...)));
}

}  // namespace berth::cli::templates
