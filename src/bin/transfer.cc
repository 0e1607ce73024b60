// berth-transfer: the commands that need HTTP, TLS and archives. `berth` executes it with its own arguments.
#include "transfer_cli/commands.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  return berth::cli::run_command_line(words, berth::transfer_cli::commands(), nullptr);
}
