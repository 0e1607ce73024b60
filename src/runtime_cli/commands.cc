#include <array>

#include "runtime_cli/command.h"

namespace berth::runtime_cli {

std::span<const Command> all_commands() {
  static constexpr std::array<Command, 15> kCommands{
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
       {"resume", "Thaw them", resume_command},
       {"list", "List the containers below --root", list_command},
       {"ps", "Show the processes of a container", ps_command},
       {"update", "Change the limits of a container", update_command},
       {"events", "Print what a container uses, and when it runs out of memory", events_command},
       {"features", "Print what this runtime can do as JSON", features_command},
       {"spec", "Write a config.json to begin with", spec_command}}};

  return kCommands;
}

}  // namespace berth::runtime_cli
