#include "runtime/credentials.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/capabilities.h"
#include "sys/limit_names.h"

namespace berth::runtime {

Result<> become_root(bool keep_groups) {
  // Refused where the namespace does not let anybody change groups; then they stay for good.
  if (!keep_groups && ::setgroups(0, nullptr) != 0 && errno != EPERM)
    return fail_errno(errno, "leave the host's groups");
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0)
    return fail_errno(errno, "become root in the container");
  // A change of IDs sets it to what fs.suid_dumpable says.
  ::prctl(PR_SET_DUMPABLE, 0);
  return {};
}

Result<> set_limits(const ProcessPlan& process) {
  for (const ResourceLimit& limit : process.limits) {
    const rlimit value{limit.soft, limit.hard};
    if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &value) != 0) {
      const int err = errno;
      // In the message itself, for engines show no hint.
      return fail_errno(err, "set {} to {}:{}{}", sys::limit_name(limit.resource), limit.soft, limit.hard,
                        err == EPERM ? " (raising a hard limit needs CAP_SYS_RESOURCE on the host)" : "");
    }
  }
  return {};
}

Result<> enter_working_directory(const ProcessPlan& process) {
  if (::chdir(process.working_directory.c_str()) != 0) {
    return fail_errno(errno, "enter the working directory {}", process.working_directory);
  }
  std::array<char, PATH_MAX> path{};
  // The system call, not getcwd(3): it says "(unreachable)" where a directory is not below the root.
  const long length = ::syscall(SYS_getcwd, path.data(), path.size());
  if (length < 0 || path[0] != '/') {
    return fail(Code::refused, "the working directory {} is outside the container",
                process.working_directory);
  }
  return {};
}

namespace {

Result<> load_filter(const ProcessPlan& process, const ListenerTaker& take_listener) {
  const std::string& program = process.seccomp;
  if (program.empty()) return {};
  if (program.size() % sizeof(sock_filter) != 0) return fail("the seccomp filter is malformed");
  std::vector<sock_filter> instructions(program.size() / sizeof(sock_filter));
  std::memcpy(instructions.data(), program.data(), program.size());
  const sock_fprog filter{static_cast<unsigned short>(instructions.size()), instructions.data()};
  const auto load = [&]() -> Result<int> {
    const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, process.seccomp_flags, &filter);
    if (listener < 0) return fail_errno(errno, "load the seccomp filter");
    return static_cast<int>(listener);
  };
  if (notifies(process)) return load_with_listener(load, take_listener);
  TRY(load());
  return {};
}

Result<> change_ids(const ProcessPlan& process) {
  if (!process.keep_groups && ::setgroups(process.groups.size(), process.groups.data()) != 0) {
    return fail_errno(errno, "set the supplementary groups");
  }
  if (::setresgid(process.gid, process.gid, process.gid) != 0)
    return fail_errno(errno, "become GID {}", process.gid);
  if (::setresuid(process.uid, process.uid, process.uid) != 0)
    return fail_errno(errno, "become UID {}", process.uid);
  return {};
}

Result<> filter_and_drop(const ProcessPlan& process, const ListenerTaker& take_listener) {
  TRY(load_filter(process, take_listener));
  return process.no_new_privileges ? Result<>() : sys::set_capabilities(process.capabilities);
}

}  // namespace

bool notifies(const ProcessPlan& process) {
  return !process.seccomp.empty() && (process.seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

Result<> become_user(const ProcessPlan& process, const ListenerTaker& take_listener) {
  constexpr uint64_t kSysAdmin = uint64_t{1} << 21;
  constexpr uint64_t kSetPcap = uint64_t{1} << 8;
  ::umask(process.umask);
  TRY(sys::limit_bounding_set(process.capabilities.bounding));
  TRY(sys::keep_capabilities_over_setuid());
  TRY(change_ids(process));
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before the last capabilities go.
  if (process.no_new_privileges || process.seccomp.empty()) {
    TRY(sys::set_capabilities(process.capabilities));
  } else {
    TRY(sys::set_capabilities({.effective = process.capabilities.permitted | kSysAdmin | kSetPcap,
                               .permitted = process.capabilities.permitted | kSysAdmin | kSetPcap}));
  }
  if (process.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno(errno, "set no_new_privs");
  return notifies(process) ? filter_and_drop(process, take_listener) : Result<>();
}

Result<> filter_calls(const ProcessPlan& process) {
  return process.seccomp.empty() || notifies(process) ? Result<>() : filter_and_drop(process, {});
}

// As root first, as runc and crun have it: images name directories that are closed to the user whom the
// caller has chosen. Some are open to the user only, on a file system that does not know this root.
Result<> enter_directory_and_become(const ProcessPlan& process, const ListenerTaker& take_listener) {
  const Result<> entered = enter_working_directory(process);
  const bool closed = !entered && (entered.error().err == EACCES || entered.error().err == EPERM);
  if (!entered && !closed) return std::unexpected(entered.error());
  TRY(become_user(process, take_listener));
  if (closed) TRY(enter_working_directory(process));
  return {};
}

}  // namespace berth::runtime
