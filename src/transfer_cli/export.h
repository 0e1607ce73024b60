#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> export_container(const cli::Invocation& invocation);
}
