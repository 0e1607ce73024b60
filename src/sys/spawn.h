// Executing other programs, without a copy of this one's memory on the way (posix_spawn(3)).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"

namespace berth::sys {

// What stands for /dev/null where a descriptor is asked for.
inline constexpr int kNullDevice = -1;

// What the program has that is not as the caller has it.
struct SpawnPlan {
  struct Descriptor {
    int number;  // the program's own
    int fd;      // the caller's, or kNullDevice
  };
  std::vector<Descriptor> descriptors{};
  std::optional<int> close_from{};  // the first number of those that it does not get
  bool unblocked = false;           // no signal is blocked, and SIGPIPE ends it
  bool apart = false;               // a session of its own, and / as its directory
};

// Executes `program`, which without a '/' is looked for in $PATH, with `words` as its argv. A child of this
// process's: its PID. Error::err is ENOENT where there is no such program.
Result<pid_t> spawn(const std::string& program, std::vector<std::string> words, const SpawnPlan& plan);

// With nothing of the caller's: apart, /dev/null as its streams, no other descriptors, no signal blocked. For
// what goes on by itself.
Result<pid_t> spawn_apart(const std::string& program, std::vector<std::string> words);

// Waits for a child to end. Its status as waitpid(2) has it.
Result<int> wait_for_child(pid_t pid);

struct ProgramOutput {
  std::string text;
  int status = 0;  // as waitpid(2) has it
};
// Executes the program, with nothing to read, to its end. Its errors go where the caller's go; more than
// `most` bytes are an error.
Result<ProgramOutput> output_of(const std::string& program, std::vector<std::string> words, size_t most);

}  // namespace berth::sys
