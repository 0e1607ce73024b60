#include "transfer_cli/commands.h"

namespace berth::transfer_cli {

std::span<const cli::Command> commands() {
  static constexpr cli::Command kCommands[] = {
      {"pull", "Fetch an image from a registry", "Images"},
  };
  return kCommands;
}

}  // namespace berth::transfer_cli
