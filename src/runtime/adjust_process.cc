#include "runtime/adjust_process.h"

#include <array>
#include <cerrno>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

namespace berth::runtime {

void give_streams(const ProcessPlan& process, const std::vector<IdExtent>& uid_map,
                  std::span<const int> streams) {
  if (process.terminal) return;
  const Result<uint32_t> uid = outside_id(uid_map, process.uid);
  for (const int stream : streams) {
    struct stat st{};
    // Nothing that has a name: it may be somebody else's, and stays it.
    if (!uid || ::fstat(stream, &st) != 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) continue;
    if (::fchown(stream, *uid, static_cast<gid_t>(-1)) != 0)
      log::debug("give descriptor {} to the process: {}", stream, describe_errno(errno));
  }
}

void give_streams(const ProcessPlan& process, const std::vector<IdExtent>& uid_map) {
  constexpr std::array<int, 3> kOwn{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  give_streams(process, uid_map, kOwn);
}

Result<> raise_limits(pid_t pid, const ProcessPlan& process) {
  for (const ResourceLimit& limit : process.limits) {
    rlimit now{};
    const auto resource = static_cast<__rlimit_resource>(limit.resource);
    if (::prlimit(pid, resource, nullptr, &now) != 0) return fail_errno(errno, "look at a limit");
    if (limit.hard <= now.rlim_max) continue;
    now.rlim_max = limit.hard;
    if (::prlimit(pid, resource, &now, nullptr) != 0)
      log::debug("raise limit {}: {}", limit.resource, describe_errno(errno));
  }
  return {};
}

}  // namespace berth::runtime
