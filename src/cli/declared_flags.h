// What a command takes, as it says itself (flags::Flags).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace berth::cli {

struct DeclaredFlag {
  std::vector<std::string> names;  // "-f", "--filter"
  bool takes_value = false;
  std::vector<std::string> choices;
  std::string text;
};

struct DeclaredCommand {
  std::vector<std::string> places;  // the words of its usage line that are no flags: "CONTAINER", "IMAGE"
  bool repeats = false;             // the last one may stand several times
  bool leaves_rest = false;         // what follows the first of them is not the command's
  std::vector<DeclaredFlag> flags;
};

// Asks the command, by executing this program, as it may live in another one.
Result<DeclaredCommand> declared_by(std::string_view command);

// Of the text that it answers with.
DeclaredCommand parse_declared(std::string_view text);

}  // namespace berth::cli
