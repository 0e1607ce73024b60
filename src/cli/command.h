// What a command is, and how a command line becomes a call of one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "flags/flags.h"
#include "store/store.h"

namespace berth::cli {

// The flags that stand before the command.
struct Globals {
  store::Locations locations;
  std::vector<std::string> original;  // argv as it came, for handing over to another program
};

struct Invocation : flags::CommandLine {
  Invocation(const Globals& its_globals, std::string command, std::vector<std::string> words)
      : CommandLine{"berth", std::move(command), std::move(words)}, globals(its_globals) {}
  const Globals& globals;
};

// A command runs and gives the exit status. One that has no `run` here lives in berth-transfer, the only
// program that loads the HTTP, TLS and archive libraries.
struct Command {
  std::string_view name;
  std::string_view summary;  // one line for the list of commands
  std::string_view group;    // heading in that list: "Containers", "Images", …; empty: it is not listed
  Result<int> (*run)(const Invocation&) = nullptr;
};

// An error with a way out for a caller who is not root.
Result<> require_root(const Invocation& invocation);

// The store that the global flags name. An error with a way out for a caller who is not root.
Result<store::Store> open_store(const Invocation& invocation,
                                store::Privacy privacy = store::Privacy::required);

// All commands, in the order of the list that `berth --help` prints.
std::span<const Command> all_commands();

// Runs a command line with the commands that this program has, prints the error if there is one, gives the
// status. `handover` is called for commands without a `run`.
using Handover = Result<int> (*)(const Invocation&);
int run_command_line(std::span<const std::string> argv, std::span<const Command> commands, Handover handover);

}  // namespace berth::cli
