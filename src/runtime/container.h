// Starts a container from its plan. Host side; protocol.h has the chart.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "runtime/plan.h"
#include "sys/namespaces.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// The container's ends of its standard streams; none are used where it has a terminal, and no input
// is its own /dev/null.
struct Streams {
  sys::UniqueFd input;
  sys::UniqueFd output;
  sys::UniqueFd error;
};

struct RunningContainer {
  pid_t pid = 0;  // on the host, of its PID 1; a child of the caller
  sys::UniqueFd pidfd;
  sys::UniqueFd terminal;  // the master of its terminal, if it has one
};

// The namespaces of a container, and its process's place among others.
struct Namespaces {
  NamespacesPlan plan;
  std::vector<sys::JoinedNamespace> joined;  // one for each that is to be joined
  int cgroup = -1;           // an open directory of v2, in which the process is from its first moment on
  std::string time_offsets;  // what /proc/PID/timens_offsets takes, for a time namespace of its own
};

struct StartRequest {
  int plan_file = -1;  // the plan as wire::encode writes it, for the new process
  Streams streams;
  // An empty directory of the host's that may be mounted on (in the private namespace) by kernels that need
  // paths.
  std::string scratch;
  // Called when all is mounted and the old root is still there: the place of hooks. Their errors end the
  // start. Where the root file system is a directory, the second may mount there, in the mount namespace that
  // it is given (-1: the caller's), with the rights that the container's root has.
  std::function<Result<>()> before_pivot;
  std::function<Result<>(int mounts)> change_mounts;
  // Files of cgroups to which the process writes "0" first of all (cgroup/cgroup.h, entrances()).
  std::vector<int> cgroup_entrances;
  // Not -1: a socket at which the process waits to be told to execute its command
  // (await_start.h). Then the container outlives its maker.
  int start_socket = -1;
  // With a start socket: gets the listener of a seccomp filter that notifies (seccomp_unotify(2)), for the
  // agent. From then on every step of the new process may wait for the agent's answers. Its error ends the
  // start.
  std::function<Result<>(const sys::UniqueFd&)> take_listener;
};

// A process in its namespaces, which waits to be told what container it is to be. Namespaces take the kernel
// a millisecond, so they are made while the engine still plans.
//
// The caller must be single-threaded and have CAP_SYS_ADMIN on the host. From prepare() to start() it is in a
// private mount namespace, a copy of the host's.
class PreparedContainer {
 public:
  // `init_program`: berth-init, open, which executes the container's process even if it is without init;
  // invalid for a caller who runs from a program that can't be written (sys/sealed_program.h). The
  // container's process inherits the descriptors from 3 on, `preserved` of them.
  static Result<PreparedContainer> prepare(const Namespaces& namespaces, sys::UniqueFd init_program,
                                           unsigned preserved = 0);
  PreparedContainer(PreparedContainer&&) noexcept;
  PreparedContainer& operator=(PreparedContainer&&) = delete;
  PreparedContainer(const PreparedContainer&) = delete;
  PreparedContainer& operator=(const PreparedContainer&) = delete;
  // One that was not started is killed and reaped.
  ~PreparedContainer();

  // On the host, of the process that will be the container's.
  [[nodiscard]] pid_t pid() const;

  // Returns when the container's process has been executed or, with a start socket, when nothing is left to
  // be done before that; after an error nothing is left of it. Once only.
  Result<RunningContainer> start(const ContainerPlan& plan, const StartRequest& request);

 private:
  class Parts;
  explicit PreparedContainer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::runtime
