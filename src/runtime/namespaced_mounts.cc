#include "runtime/namespaced_mounts.h"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fault.h"
#include "runtime/protocol.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/openat2.h"

namespace berth::runtime {

namespace {

constexpr size_t kMostDescriptors = 5;

const MountPlan* find_mount(const ContainerPlan& plan, MountKind kind) {
  for (const MountPlan& mount : plan.mounts) {
    if (mount.kind == kind) return &mount;
  }
  return nullptr;
}

Result<sys::UniqueFd> make_mount(const MountPlan& mount, const std::string& type) {
  sys::FilesystemContext context = TRY(sys::FilesystemContext::open(type));
  TRY(context.set("source", type));
  if (mount.kind == MountKind::devpts) {
    TRY(context.set_flag("newinstance"));
    TRY(context.set("ptmxmode", "0666"));
    TRY(context.set("mode", "0620"));
    // The terminals' group is 5 wherever there is one; a map without it leaves them to their owner's group.
    if (!mount.options.empty()) TRY(context.set("gid", mount.options));
  }
  TRY(context.create());
  return context.mount(static_cast<unsigned>(mount.attributes));
}

Result<sys::UniqueFd> open_terminal(int devpts) {
  sys::UniqueFd master = TRY(sys::open_at(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW));
  int unlock = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &unlock) != 0) return fail_errno(errno, "unlock the terminal");
  return master;
}

// Through the proc that has just been made, before parts of it become read-only. No link on the way is
// followed (CVE-2025-52881).
Result<> set_sysctls(const std::vector<Setting>& sysctls, int proc) {
  for (const Setting& sysctl : sysctls) {
    const std::string path = "sys/" + sysctl.path;
    const Result<sys::UniqueFd> file =
        sys::open_at2(proc, path, O_WRONLY, 0,
                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
    if (!file) return fail_errno(file.error().err, "set the sysctl {}", sysctl.path);
    if (::write(file->get(), sysctl.value.data(), sysctl.value.size()) < 0) {
      return fail_errno(errno, "set the sysctl {} to \"{}\"", sysctl.path, sysctl.value);
    }
  }
  return {};
}

}  // namespace

Result<NamespacedSet> make_mounts(const ContainerPlan& plan) {
  NamespacedSet made;
  const auto make = [&](MountKind kind, const std::string& type, sys::UniqueFd& into) -> Result<> {
    const MountPlan* mount = find_mount(plan, kind);
    if (mount != nullptr) into = TRY_CONTEXT(make_mount(*mount, type), "mount {}", mount->target);
    return {};
  };
  TRY(make(MountKind::proc, "proc", made.mounts.proc));
  if (!plan.sysctls.empty()) {
    if (!made.mounts.proc) return fail("sysctls need /proc");
    TRY(set_sysctls(plan.sysctls, made.mounts.proc.get()));
  }
  TRY(make(MountKind::sysfs, "sysfs", made.mounts.sysfs));
  TRY(make(MountKind::mqueue, "mqueue", made.mounts.mqueue));
  TRY(make(MountKind::devpts, "devpts", made.mounts.devpts));
  if (plan.process.terminal && !made.mounts.devpts) {
    return std::unexpected(
        fail("the container's terminal needs /dev/pts, and something else is to be mounted there")
            .error()
            .with_hint("Leave out -t, or the mount on /dev/pts."));
  }
  if (plan.process.terminal) {
    made.terminal = TRY_CONTEXT(open_terminal(made.mounts.devpts.get()), "open the container's terminal");
  }
  fault::point("mounts-made");
  return made;
}

Result<> send_mounts(const NamespacedSet& set, sys::Channel& channel) {
  std::vector<int> fds;
  const auto add = [&](const sys::UniqueFd& fd) {
    if (fd) fds.push_back(fd.get());
    return fd.valid();
  };
  StepMessage message{.step = Step::mounts};
  message.proc = add(set.mounts.proc);
  message.sysfs = add(set.mounts.sysfs);
  message.mqueue = add(set.mounts.mqueue);
  message.devpts = add(set.mounts.devpts);
  message.terminal = add(set.terminal);
  return channel.send(wire::encode(message), fds);
}

Result<NamespacedSet> receive_mounts(sys::Channel& channel) {
  sys::Message received = TRY(channel.receive(kMostDescriptors));
  if (received.data.empty()) return fail("the container's process ended while its file systems were made");
  const auto message = TRY(wire::decode<StepMessage>(received.data));
  if (message.step != Step::mounts) return fail("the container's process said something out of turn");
  size_t next = 0;
  const auto take = [&](bool flag, sys::UniqueFd& into) -> bool {
    if (!flag) return true;
    if (next >= received.fds.size()) return false;
    into = std::move(received.fds[next++]);
    return true;
  };
  NamespacedSet set;
  const bool whole = take(message.proc, set.mounts.proc) && take(message.sysfs, set.mounts.sysfs) &&
                     take(message.mqueue, set.mounts.mqueue) && take(message.devpts, set.mounts.devpts) &&
                     take(message.terminal, set.terminal);
  if (!whole || next != received.fds.size())
    return fail("the container's process sent the wrong descriptors");
  return set;
}

}  // namespace berth::runtime
