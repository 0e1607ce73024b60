// What can be made of a container before its plan is known: its cgroup, and a process in its namespaces.
#pragma once

#include "monitor/container_cgroup.h"
#include "monitor/protocol.h"
#include "runtime/container.h"
#include "sys/channel.h"

namespace berth::monitor {

inline constexpr const char* kNotByHand = "berth-monitor is started by berth, not by hand";

// In the order in which they are to be taken away: a process goes before its cgroup.
struct Prepared {
  ContainerCgroup cgroup;
  runtime::PreparedContainer container;
};

// What the first message of `client` asks for.
Result<Prepared> prepare(sys::Channel& client);

// `state`: the container's directory below the run root, where its cgroup is recorded before anything runs in
// it. So whatever happens to this process, recover() finds what does.
Result<runtime::RunningContainer> start(Prepared& prepared, const runtime::ContainerPlan& plan,
                                        runtime::StartRequest request, int state);

}  // namespace berth::monitor
