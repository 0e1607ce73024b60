// berth-runtime: the OCI runtime command line, for podman, containerd, Docker and others.
#include <cstdio>

#include "runtime_cli/command.h"
#include "runtime_cli/inherited.h"
#include "sys/sealed_program.h"

int main(int argc, char** argv) {
  // Before anything is read: what comes from here on may become a container's process.
  berth::Result<> settled = berth::runtime_cli::settle_inherited();
  if (settled) settled = berth::sys::run_from_read_only(argv);
  if (!settled) {
    std::fputs(berth::render("berth-runtime", settled.error()).c_str(), stderr);
    return 1;
  }
  const std::vector<std::string> words(argv, argv + argc);
  return berth::runtime_cli::run_command_line(words);
}
