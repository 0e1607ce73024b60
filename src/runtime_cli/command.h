// The commands of berth-runtime, and how a command line becomes a call of one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flags/flags.h"
#include "lifecycle/directory.h"

namespace berth::runtime_cli {

// The flags that stand before the command, as runc and crun have them.
struct Globals {
  std::string root;
  bool systemd_cgroup = false;
};

struct Invocation : flags::CommandLine {
  Invocation(const Globals& its_globals, std::string command, std::vector<std::string> words)
      : CommandLine{"berth-runtime", std::move(command), std::move(words)}, globals(its_globals) {}
  const Globals& globals;
};

struct Command {
  std::string_view name;
  std::string_view summary;
  Result<int> (*run)(const Invocation&) = nullptr;
  int failed = 1;  // the exit status for an error
};

std::span<const Command> all_commands();

// Where the containers are: --root.
Result<lifecycle::Root> open_root(const Invocation& invocation);

// A command that takes a container's ID and nothing else: parses its line and calls `act`.
Result<int> act_on_container(const Invocation& invocation, std::string_view description,
                             std::string_view examples,
                             Result<> (*act)(const lifecycle::Root& root, const std::string& id));

// Runs a command line, reports an error on stderr and, with --log, in the log; gives the exit status: for an
// error that of the command, as engines expect of a runtime.
int run_command_line(std::span<const std::string> argv);

// One file a command.
Result<int> create_command(const Invocation& invocation);
Result<int> run_command(const Invocation& invocation);
Result<int> start_command(const Invocation& invocation);
Result<int> exec_command(const Invocation& invocation);
Result<int> state_command(const Invocation& invocation);
Result<int> kill_command(const Invocation& invocation);
Result<int> delete_command(const Invocation& invocation);
Result<int> pause_command(const Invocation& invocation);
Result<int> resume_command(const Invocation& invocation);
Result<int> list_command(const Invocation& invocation);
Result<int> ps_command(const Invocation& invocation);
Result<int> update_command(const Invocation& invocation);
Result<int> events_command(const Invocation& invocation);
Result<int> features_command(const Invocation& invocation);
Result<int> spec_command(const Invocation& invocation);

}  // namespace berth::runtime_cli
