// The flags of berth's commands.
#pragma once

#include "cli/command.h"
#include "flags/flags.h"

namespace berth::cli {

using flags::Flags;
using flags::Need;
using flags::Range;
using flags::Shape;

}  // namespace berth::cli
