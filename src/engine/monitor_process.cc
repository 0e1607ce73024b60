#include "engine/monitor_process.h"

#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "sys/companion.h"
#include "sys/process.h"
#include "sys/spawn.h"

namespace berth::engine {

namespace {

// berth-monitor with its channel as descriptor 3 and nothing else of ours.
Result<MonitorProcess> spawn(const std::string& id) {
  const std::string program = TRY(sys::companion_path("berth-monitor"));
  auto [ours, theirs] = TRY(sys::Channel::make_pair());
  const bool debugs = log::level() >= log::Level::debug;
  // The signals that this process keeps for the container (CallerSignals) are blocked here, not there.
  sys::SpawnPlan plan{.descriptors = {{STDIN_FILENO, sys::kNullDevice}, {STDOUT_FILENO, sys::kNullDevice}},
                      .close_from = 4,
                      .unblocked = true};
  // Diagnostics of the start go where the caller's go; otherwise the monitor holds nothing of the caller's.
  if (!debugs) plan.descriptors.push_back({STDERR_FILENO, sys::kNullDevice});
  plan.descriptors.push_back({3, theirs.fd()});
  std::vector<std::string> words{"berth-monitor", id.substr(0, 12)};
  if (debugs) words.emplace_back("debug");
  const pid_t pid = TRY(sys::spawn(program, std::move(words), plan));
  sys::UniqueFd pidfd = TRY_CONTEXT(sys::open_process(pid), "watch berth-monitor");
  return MonitorProcess{std::move(ours), std::move(pidfd), {}};
}

}  // namespace

Result<MonitorProcess> spawn_monitor(const std::string& id, const runtime::Namespaces& namespaces,
                                     const monitor::CgroupRequest& cgroup) {
  MonitorProcess process = TRY(spawn(id));
  fault::point("monitor-spawned");
  process.namespaces = namespaces.plan;
  monitor::PrepareRequest request{namespaces.plan, {}, cgroup};
  std::vector<int> joined;
  for (const sys::JoinedNamespace& space : namespaces.joined) {
    request.joined.push_back(space.type);
    joined.push_back(space.fd.get());
  }
  TRY(process.channel.send(monitor::pack_value(monitor::Kind::prepare, request), std::move(joined)));
  return process;
}

}  // namespace berth::engine
