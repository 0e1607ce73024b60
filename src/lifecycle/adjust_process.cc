#include "lifecycle/adjust_process.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/file.h"

namespace berth::lifecycle {

void give_streams(const runtime::ProcessPlan& process, const std::vector<runtime::IdExtent>& uid_map) {
  if (process.terminal) return;
  const Result<uint32_t> uid = runtime::outside_id(uid_map, process.uid);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    struct stat st{};
    // Nothing that has a name: it may be somebody else's, and stays it.
    if (!uid || ::fstat(stream, &st) != 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) continue;
    if (::fchown(stream, *uid, static_cast<gid_t>(-1)) != 0)
      log::debug("give descriptor {} to the process: {}", stream, describe_errno(errno));
  }
}

Result<> raise_limits(pid_t pid, const runtime::ProcessPlan& process) {
  for (const runtime::ResourceLimit& limit : process.limits) {
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

Result<> set_oom_score(pid_t pid, std::optional<int32_t> score) {
  if (!score) return {};
  TRY_CONTEXT(sys::write_control_file(AT_FDCWD, fmt::format("/proc/{}/oom_score_adj", pid),
                                      fmt::format("{}", *score)),
              "set process.oomScoreAdj to {}", *score);
  return {};
}

Result<> write_pid_file(const std::string& path, pid_t pid) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const sys::UniqueFd directory = TRY(sys::open_at(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY));
  TRY_CONTEXT(sys::replace_file_at(directory.get(), path.substr(slash + 1), fmt::format("{}", pid), 0644,
                                   sys::Durability::none),
              "--pid-file {}", path);
  return {};
}

}  // namespace berth::lifecycle
