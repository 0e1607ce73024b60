#include <array>

#include "runtime_cli/command.h"

namespace berth::runtime_cli {

std::span<const Command> all_commands() {
  static constexpr std::array<Command, 9> kCommands{
      {{"create", "Make a container from a bundle; its process waits to be started", create_command},
       {"start", "Let the process of a created container execute its command", start_command},
       {"run", "create and start; in the foreground until it ends", run_command},
       // 255 as runc has it: a command that was executed ends with 1 often enough. Engines tell a command
       // that is not there or can't be executed by the message (podman and Docker make 127 and 126 of it).
       {"exec", "Execute a command in a container", exec_command, 255},
       {"state", "Print the state of a container as JSON", state_command},
       {"kill", "Send a signal to a container's process", kill_command},
       {"delete", "Remove what is left of a container", delete_command},
       {"pause", "Freeze all processes of a container", pause_command},
       {"resume", "Thaw them", resume_command}}};

  return kCommands;
}

}  // namespace berth::runtime_cli
