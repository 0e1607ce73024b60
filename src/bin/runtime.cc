// berth-runtime: the OCI runtime command line, for podman, containerd, Docker and others.
#include <cstdio>

#include "runtime_cli/command.h"
#include "sys/sealed_program.h"

int main(int argc, char** argv) {
  // Before anything is read: what comes from here on may become a container's process.
  if (const berth::Result<> moved = berth::sys::run_from_read_only(argv); !moved) {
    std::fputs(berth::render("berth-runtime", moved.error()).c_str(), stderr);
    return 1;
  }
  const std::vector<std::string> words(argv, argv + argc);
  return berth::runtime_cli::run_command_line(words);
}
