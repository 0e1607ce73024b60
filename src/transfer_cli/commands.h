// The commands that berth-transfer has.
#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
std::span<const cli::Command> commands();
}
