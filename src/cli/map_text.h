// The picture for a terminal.
#pragma once

#include <string>

#include "cli/map_picture.h"

namespace berth::cli {

struct TextStyle {
  size_t width = 100;  // columns; with fewer than kLeastForBoxes the containers stand in the host's column
  bool colours = false;
};

inline constexpr size_t kLeastForBoxes = 72;

std::string map_as_text(const Picture& picture, const TextStyle& style);

}  // namespace berth::cli
