#include "cli/run_program.h"

#include <unistd.h>

#include "sys/spawn.h"

namespace berth::cli {

Result<int> run_program(const Invocation& invocation, const std::string& program,
                        const std::vector<std::string>& words) {
  const store::Locations& locations = invocation.globals.locations;
  std::vector<std::string> all{"berth", "--root", locations.root, "--runroot", locations.run_root};
  all.insert(all.end(), words.begin(), words.end());
  const pid_t pid =
      TRY(sys::spawn(program, std::move(all), {.descriptors = {{STDOUT_FILENO, sys::kNullDevice}}}));
  return sys::wait_for_child(pid);
}

}  // namespace berth::cli
