// berth-runtime: the OCI runtime command line, for podman, containerd, Docker and others.
#include <cstdio>

#include <malloc.h>

#include "runtime/inherited.h"
#include "runtime_cli/command.h"
#include "sys/sealed_program.h"

int main(int argc, char** argv) {
  // It lives for milliseconds: memory that was given back would only be asked for, and zeroed, again.
  constexpr int kNever = 64 << 20;
  ::mallopt(M_TRIM_THRESHOLD, kNever);
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  berth::sys::keep_own_mount();
  // Before anything is read: what comes from here on may become a container's process.
  berth::Result<> settled = berth::runtime::settle_inherited();
  if (settled) settled = berth::sys::run_from_read_only(argv);
  if (!settled) {
    std::fputs(berth::render("berth-runtime", settled.error()).c_str(), stderr);
    return 1;
  }
  const std::vector<std::string> words(argv, argv + argc);
  return berth::runtime_cli::run_command_line(words);
}
