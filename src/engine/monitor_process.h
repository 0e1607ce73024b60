// Starting a berth-monitor.
#pragma once

#include <string>

#include "base/error.h"
#include "monitor/protocol.h"
#include "runtime/container.h"
#include "sys/channel.h"
#include "sys/unique_fd.h"

namespace berth::engine {

// A berth-monitor that makes the namespaces of a container to come. It ends, and they with it, when the
// channel is closed before a start has been asked for.
struct MonitorProcess {
  sys::Channel channel;
  sys::UniqueFd pidfd;  // a child of this process
  runtime::NamespacesPlan namespaces;
};

// `id` is the container's, for `ps`. Call it as early as the settings are certain: what the kernel has to do
// then happens beside the caller's own work.
Result<MonitorProcess> spawn_monitor(const std::string& id, const runtime::Namespaces& namespaces,
                                     const monitor::CgroupRequest& cgroup);

}  // namespace berth::engine
