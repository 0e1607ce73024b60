// berth: the command line.
#include <cerrno>

#include <unistd.h>

#include "cli/command.h"
#include "sys/companion.h"

namespace {

// Commands that move images in and out are berth-transfer's.
berth::Result<int> hand_over(const berth::cli::Invocation& invocation) {
  const std::string program = TRY(berth::sys::companion_path("berth-transfer"));
  std::vector<char*> argv;
  for (const std::string& word : invocation.globals.original) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return berth::fail_errno(errno, "execute {}", program);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  return berth::cli::run_command_line(words, berth::cli::all_commands(), hand_over);
}
