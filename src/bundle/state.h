// What a runtime tells of a container: the document of `state`, which hooks get on stdin, and the one that a
// seccomp agent gets (runtime-spec 1.2, runtime.md, "State"; config-linux.md, "The Container Process State").
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::bundle {

enum class Status { creating, created, running, stopped, paused };

// The specification's word, and "paused", which it leaves to runtimes and runc and crun have.
std::string_view status_name(Status status);

struct State {
  std::string id;
  Status status = Status::creating;
  int pid = 0;         // as the host sees it; 0: there is no process, and the member is left out
  std::string bundle;  // absolute
  std::map<std::string, std::string> annotations;
};

// JSON in one line, without a newline. Code::refused where a text is not UTF-8.
Result<std::string> emit_state(const State& state);

// What goes to the agent along with the descriptor "seccompFd", which is that of `process`, a PID on the
// host: the container's own, or that of an exec.
Result<std::string> emit_container_process_state(const State& state, int process,
                                                 const std::string& metadata);

}  // namespace berth::bundle
