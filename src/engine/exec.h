// A further process in a container that runs. Its parent is whoever asks for it; the monitor has no part in
// it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cgroup/cgroup.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/ids/id_decision.h"
#include "events/events.h"
#include "runtime/entrance.h"
#include "runtime/exec.h"
#include "runtime/foreground.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// What is not said is as the container has it.
struct ExecWish {
  std::vector<std::string> command;  // not empty
  std::optional<std::string> user;   // as --user of `berth run`
  std::string working_directory;     // absolute; empty: the container's
  std::vector<Pair> environment;     // beside the container's, or in its place
  bool terminal = false;
  uint16_t rows = 0;  // of the caller's terminal
  uint16_t columns = 0;
  bool privileged = false;     // all capabilities that can be had in the container's user namespace
  unsigned preserved = 0;      // so many descriptors of the caller's from 3 on
  bool keeps_orphans = false;  // runtime::ExecPlan
};

// A person's command is bound by the policy, and by the rules of a project as they are now.
struct ExecCaller {
  const config::Config& config;
  Caller caller;
};

// All that is decided and opened; nothing of the store.
struct PreparedExec {
  std::string name;  // of the container
  FirstProcess first;
  runtime::Entrance entrance;
  std::optional<cgroup::Cgroup> cgroup;
  runtime::ExecPlan plan;
  std::vector<runtime::IdExtent> uid_map;
  sys::UniqueFd init_program;
  std::string oom_score;  // of the container's PID 1: its oom_score_adj
  unsigned preserved = 0;
  std::vector<std::string> warnings;  // whole sentences
  // For `berth events`, of a person's command: what is told, and the store's root directory to tell it in.
  events::Event event;
  sys::UniqueFd events;
};

// Code::conflict where the container does not run or is paused; Code::refused for what its map, the policy or
// its project does not allow. `caller` is none for what the container itself asks for, as its health check.
Result<PreparedExec> prepare_exec(store::Store& store, const store::ContainerRecord& record,
                                  const ExecWish& wish, const ExecCaller* caller);

// Returns when the command has been executed; after an error nothing is left of it. Errors as of
// runtime::start_process(), and Code::conflict where the container has ended meanwhile.
Result<runtime::RunningContainer> start_exec(const PreparedExec& prepared, const runtime::Streams& streams);

// A person's command has ended with that status.
void announce_exec_end(const PreparedExec& prepared, int status);

// The streams of a process without a terminal: the caller's own; but of a terminal's only what goes through a
// pipe, since who has the terminal itself can read what is typed there later. No input is /dev/null, and so
// is everything for one that is detached.
struct ExecStreams {
  runtime::Streams inside;
  runtime::StreamRelays outside;
};
Result<ExecStreams> make_exec_streams(bool input, bool detached);

}  // namespace berth::engine
