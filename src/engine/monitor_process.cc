#include "engine/monitor_process.h"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "sys/companion.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

// berth-monitor with its channel as descriptor 3 and nothing else of ours.
Result<MonitorProcess> spawn(const std::string& id) {
  const std::string program = TRY(sys::companion_path("berth-monitor"));
  auto [ours, theirs] = TRY(sys::Channel::make_pair());
  // The signals that this process keeps for the container (CallerSignals) are blocked here, not there.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  // Diagnostics of the start go where the caller's go; otherwise the monitor holds nothing of the caller's.
  if (log::level() < log::Level::debug) posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawn_file_actions_adddup2(&actions, theirs.fd(), 3);
  posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  std::string short_id = id.substr(0, 12);
  std::string level = log::level() >= log::Level::debug ? "debug" : "";
  std::array<char*, 4> argv{const_cast<char*>("berth-monitor"), short_id.data(),
                            level.empty() ? nullptr : level.data(), nullptr};
  pid_t pid = 0;
  const int err = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (err != 0) return fail_errno(err, "execute {}", program);
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
