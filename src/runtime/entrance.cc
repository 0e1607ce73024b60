#include "runtime/entrance.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>

#include "runtime/credentials.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {

bool has_ended(const sys::UniqueFd& process) {
  pollfd ended{process.get(), POLLIN, 0};
  return sys::poll_process({&ended, 1}, 0) > 0;
}

Result<std::optional<Entrance>> open_entrance(pid_t pid, const sys::UniqueFd& process) {
  constexpr uint64_t kAll = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                            CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;
  Result<std::vector<sys::JoinedNamespace>> apart = sys::namespaces_apart(pid, kAll);
  Result<sys::UniqueFd> root =
      sys::open_at(AT_FDCWD, fmt::format("/proc/{}/root", pid), O_PATH | O_DIRECTORY);
  if (has_ended(process)) return std::nullopt;
  std::vector<sys::JoinedNamespace> namespaces = TRY(std::move(apart));
  return Entrance{std::move(namespaces), safepath::Root(TRY(std::move(root)))};
}

bool can_be_traced(const Entrance& entrance, const ProcessPlan& process, uint64_t bounding) {
  constexpr uint64_t kSysPtrace = uint64_t{1} << CAP_SYS_PTRACE;
  return (bounding & kSysPtrace) != 0 && !sys::is_among(entrance.namespaces, CLONE_NEWUSER) &&
         sys::is_among(entrance.namespaces, CLONE_NEWPID) && !notifies(process) &&
         process.apparmor_profile.empty() && process.selinux_label.empty();
}

}  // namespace berth::runtime
