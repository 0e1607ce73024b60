#include "runtime/process_attributes.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::runtime {

namespace {

// struct sched_attr as sched_setattr(2) has it; its header contradicts the C library's <sched.h>.
struct KernelAttributes {
  uint32_t size = sizeof(KernelAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};

Result<> set_scheduler(const SchedulerPlan& plan) {
  KernelAttributes attributes{.policy = plan.policy,
                              .flags = plan.flags,
                              .nice = plan.nice,
                              .priority = plan.priority,
                              .runtime = plan.runtime,
                              .deadline = plan.deadline,
                              .period = plan.period};
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return {};
  const int err = errno;
  Error error = fail_errno(err, "set the scheduler").error();
  if (err == EPERM) error.hint = "Real-time policies and a higher priority need CAP_SYS_NICE on the host.";
  return std::unexpected(std::move(error));
}

// Written before the exec, at which it counts. A kernel without the module has no such file, or says EINVAL.
// In a /proc that is one, and not by anything that was mounted or linked there (CVE-2025-52881).
Result<> write_attribute(const char* file, const std::string& label) {
  const sys::UniqueFd proc = TRY(sys::open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  struct statfs found{};
  if (::fstatfs(proc.get(), &found) != 0 || found.f_type != PROC_SUPER_MAGIC)
    return fail(Code::refused, "/proc in the container is no procfs, so no label can be set");
  const sys::UniqueFd attribute =
      TRY(sys::open_at2(proc.get(), fmt::format("{}/attr/{}", ::getpid(), file), O_WRONLY, 0,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV));
  if (::write(attribute.get(), label.data(), label.size()) < 0) return fail_errno(errno, "write the label");
  return {};
}

Result<> set_label(const char* file, const std::string& label, const char* module) {
  if (label.empty()) return {};
  const Result<> written = write_attribute(file, label);
  if (written) return {};
  const int err = written.error().err;
  if (err == ENOENT || err == EINVAL || err == EOPNOTSUPP)
    return fail(Code::refused, "{} is not in use on this host, so \"{}\" can't be set", module, label);
  return written;
}

}  // namespace

Result<> set_attributes(const ProcessPlan& process) {
  if (process.scheduler) TRY(set_scheduler(*process.scheduler));
  constexpr int kProcess = 1;  // IOPRIO_WHO_PROCESS
  if (process.io_priority && ::syscall(SYS_ioprio_set, kProcess, 0, *process.io_priority) != 0)
    return fail_errno(errno, "set the I/O priority");
  if (process.personality && ::personality(*process.personality) < 0)
    return fail_errno(errno, "set the personality");
  TRY(set_label("apparmor/exec", process.apparmor_profile.empty() ? "" : "exec " + process.apparmor_profile,
                "AppArmor"));
  return set_label("exec", process.selinux_label, "SELinux");
}

Result<> take_own_keyring(const ProcessPlan& process) {
  if (!process.own_keyring) return {};
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0) return {};
  const int err = errno;
  if (err == ENOSYS) return {};  // a kernel without keyrings has nothing to leak
  // Nor has one where a filter, which the container inherits, closes them altogether, as in many containers.
  const bool closed = err == EPERM &&
                      ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) < 0 &&
                      errno == EPERM;
  if (closed) return {};
  return fail_errno(err, "make a session keyring");
}

}  // namespace berth::runtime
