#include "runtime/namespaced_mounts.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "runtime/filesystem.h"
#include "runtime/protocol.h"
#include "runtime/terminal.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::runtime {

namespace {

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

Result<NamespacedSet> make_mounts(const ContainerPlan& plan, const MountsUser& before_use) {
  NamespacedSet made;
  int proc = -1;
  int devpts = -1;
  for (const MountPlan& mount : plan.mounts) {
    if (mount.kind != MountKind::namespaced) continue;
    made.mounts.push_back(TRY_CONTEXT(make_filesystem(mount), "mount {}", mount.target));
    if (mount.type == "proc") proc = made.mounts.back().get();
    if (mount.type == "devpts") devpts = made.mounts.back().get();
  }
  if (before_use) TRY(before_use(made.mounts));
  if (!plan.sysctls.empty()) {
    if (proc < 0) return fail("sysctls need /proc");
    TRY(set_sysctls(plan.sysctls, proc));
  }
  if (plan.process.terminal && devpts < 0) {
    return std::unexpected(
        fail("the container's terminal needs /dev/pts, and something else is to be mounted there")
            .error()
            .with_hint("Leave out -t, or the mount on /dev/pts."));
  }
  if (plan.process.terminal)
    made.terminal = TRY_CONTEXT(open_master(devpts), "open the container's terminal");
  fault::point("mounts-made");
  return made;
}

Result<> send_mounts(const NamespacedSet& set, sys::Channel& channel) {
  std::vector<int> fds;
  for (const sys::UniqueFd& mount : set.mounts) fds.push_back(mount.get());
  if (set.terminal) fds.push_back(set.terminal.get());
  return channel.send(wire::encode(StepMessage{Step::mounts}), fds);
}

Result<NamespacedSet> receive_mounts(const ContainerPlan& plan, sys::Channel& channel) {
  const auto mounts =
      static_cast<size_t>(std::count_if(plan.mounts.begin(), plan.mounts.end(), [](const MountPlan& mount) {
        return mount.kind == MountKind::namespaced;
      }));
  const size_t expected = mounts + (plan.process.terminal ? 1 : 0);
  sys::Message received = TRY(channel.receive(expected));
  if (received.data.empty()) return fail("the container's process ended while its file systems were made");
  const auto message = TRY(wire::decode<StepMessage>(received.data));
  if (message.step != Step::mounts) return fail("the container's process said something out of turn");
  if (received.fds.size() != expected) return fail("the container's process sent the wrong descriptors");
  NamespacedSet set;
  if (plan.process.terminal) {
    set.terminal = std::move(received.fds.back());
    received.fds.pop_back();
  }
  set.mounts = std::move(received.fds);
  return set;
}

}  // namespace berth::runtime
