// berth-runtime: the OCI runtime command line, for podman, containerd, Docker and others.
#include "runtime_cli/command.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  return berth::runtime_cli::run_command_line(words);
}
