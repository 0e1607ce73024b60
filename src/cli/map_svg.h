// The picture as an SVG document: one file, no scripts, no fonts or images from elsewhere, readable on light
// and on dark ground.
#pragma once

#include <string>

#include "cli/map_picture.h"

namespace berth::cli {

std::string map_as_svg(const Picture& picture);

}  // namespace berth::cli
