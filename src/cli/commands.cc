// The list of commands. Those without a function live in berth-transfer.
#include "cli/command.h"
#include "cli/version.h"

namespace berth::cli {

namespace {
constexpr Command kCommands[] = {
    {"pull", "Fetch an image from a registry", "Images"},
    {"load", "Load images from an archive or an OCI layout", "Images"},
    {"save", "Write images to an archive or an OCI layout", "Images"},
    {"import", "Make an image from a root file system tar", "Images"},
    {"login", "Store the credentials for a registry", "Images"},
    {"logout", "Forget the credentials for a registry", "Images"},
    {"version", "Print the version", "System", version},
};
}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

}  // namespace berth::cli
