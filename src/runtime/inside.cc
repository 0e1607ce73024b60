#include "runtime/inside.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fault.h"
#include "runtime/credentials.h"
#include "runtime/execution.h"
#include "runtime/namespaced_mounts.h"
#include "runtime/protocol.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/openat2.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

constexpr int kStatusFd = 3;  // berth-init knows it too
constexpr int kChannelFd = 4;
constexpr int kInitFd = 5;
constexpr int kFirstFree = 6;

// Puts the wanted descriptors at fixed numbers and closes all others: the monitor's log, locks and
// directories are not for this side.
Result<> arrange_descriptors(InsideDescriptors& wanted) {
  struct Place {
    sys::UniqueFd* fd;
    int number;
  };
  const std::array<Place, 3> places{
      {{&wanted.status, kStatusFd}, {&wanted.channel, kChannelFd}, {&wanted.init_program, kInitFd}}};
  // First out of the way of each other, then to their places.
  for (const Place& place : places) {
    const int high = ::fcntl(place.fd->get(), F_DUPFD_CLOEXEC, kFirstFree);
    if (high < 0) return fail_errno(errno, "arrange the descriptors");
    [[maybe_unused]] const int closed_below = place.fd->release();
    *place.fd = sys::UniqueFd(high);
  }
  for (const Place& place : places) {
    if (::dup3(place.fd->release(), place.number, O_CLOEXEC) < 0)
      return fail_errno(errno, "arrange the descriptors");
  }
  if (::syscall(SYS_close_range, static_cast<unsigned>(kFirstFree), ~0U, 0U) != 0) {
    return fail_errno(errno, "close the other descriptors");
  }
  return {};
}

// The descriptors that come with the message for a step; `most` of them at most.
Result<std::vector<sys::UniqueFd>> expect(sys::Channel& channel, Step step, size_t most) {
  sys::Message message = TRY(channel.receive(most));
  if (message.data.empty()) return fail("berth-monitor is gone");
  const auto decoded = TRY(wire::decode<StepMessage>(message.data));
  if (decoded.step != step) return fail("berth-monitor said something out of turn");
  return std::move(message.fds);
}

struct ReceivedPlan {
  ContainerPlan plan;
  bool needs_input = false;  // its standard input is to be /dev/null
};

// The plan, and the standard streams, which take their places: none for a container with a terminal, and two
// where it has no input.
Result<ReceivedPlan> receive_plan(sys::Channel& channel) {
  constexpr size_t kStreams = 3;
  std::vector<sys::UniqueFd> fds = TRY(expect(channel, Step::mapped, 1 + kStreams));
  const bool right = fds.size() == 1 || fds.size() == kStreams || fds.size() == 1 + kStreams;
  if (!right) return fail("berth-monitor sent the wrong descriptors");
  for (size_t i = 1; i < fds.size(); ++i) {
    if (::dup2(fds[i].get(), static_cast<int>(kStreams - fds.size() + i)) < 0)
      return fail_errno(errno, "use the standard streams");
  }
  // The monitor has read it to the end.
  if (::lseek(fds[0].get(), 0, SEEK_SET) != 0) return fail_errno(errno, "read the plan");
  const std::string bytes = TRY(sys::read_all(fds[0].get(), kLargestPlan));
  return ReceivedPlan{TRY(wire::decode<ContainerPlan>(bytes)), fds.size() == kStreams};
}

// proc and its kin can be mounted only where the mount namespace belongs to the container's user namespace,
// and the container's own is not unshared before everything is in its place. So they are made in one that
// goes again.
Result<> make_and_send_mounts(const ContainerPlan& plan, sys::Channel& channel) {
  Result<NamespacedSet> made = fail("nothing was made");
  TRY(sys::call_in_mount_namespace([&] { made = make_mounts(plan); }));
  return send_mounts(TRY(std::move(made)), channel);
}

Result<> bring_loopback_up() {
  const sys::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "open a socket");
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
    return fail_errno(errno, "bring the loopback interface up");
  return {};
}

// Out of the way of 0, 1 and 2, which are free until the terminal is put there.
Result<sys::UniqueFd> move_up(sys::UniqueFd fd) {
  sys::UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved) return fail_errno(errno, "arrange the terminal's descriptors");
  return moved;
}

// A new session, with the terminal as its controlling one. The terminal is opened again by its name in the
// container, so that ttyname(3) finds it there, and compared with the descriptor that the monitor got from
// the kernel (TIOCGPTPEER), so that the name can't have been swapped (CVE-2025-52565).
Result<> take_terminal(const ContainerPlan& plan, sys::UniqueFd received) {
  const sys::UniqueFd peer = TRY(move_up(std::move(received)));
  const struct stat by_peer = TRY(sys::stat_at(peer.get(), "", AT_EMPTY_PATH));
  const unsigned number = minor(by_peer.st_rdev);
  sys::UniqueFd opened = TRY(sys::open_at2(AT_FDCWD, fmt::format("/dev/pts/{}", number), O_RDWR | O_NOCTTY, 0,
                                           RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
  const sys::UniqueFd named = TRY(move_up(std::move(opened)));
  const struct stat by_name = TRY(sys::stat_at(named.get(), "", AT_EMPTY_PATH));
  if (by_name.st_dev != by_peer.st_dev || by_name.st_ino != by_peer.st_ino) {
    return fail("/dev/pts/{} is not the container's terminal", number);
  }
  if (::fchown(named.get(), plan.process.uid, static_cast<gid_t>(-1)) != 0) {
    return fail_errno(errno, "give the terminal to the user");
  }
  if (::ioctl(named.get(), TIOCSCTTY, 0) != 0) return fail_errno(errno, "take the terminal");
  for (int fd : {0, 1, 2}) {
    if (::dup2(named.get(), fd) < 0) return fail_errno(errno, "use the terminal");
  }
  return {};
}

// A node of the container's own: of the host's, a root with the host's IDs could change the mode.
Result<> take_null_input() {
  const sys::UniqueFd null = TRY(sys::open_at2(AT_FDCWD, "/dev/null", O_RDONLY | O_NOCTTY, 0, 0));
  if (::dup2(null.get(), 0) < 0) return fail_errno(errno, "use /dev/null");
  return {};
}

Result<ContainerPlan> set_up(InsideDescriptors& descriptors) {
  // Nothing may trace or read this process through /proc while it still holds something of the host's.
  ::prctl(PR_SET_DUMPABLE, 0);
  TRY(arrange_descriptors(descriptors));
  sys::Channel channel{sys::UniqueFd(kChannelFd)};
  sys::set_process_name("berth-start");
  ReceivedPlan received = TRY(receive_plan(channel));
  ContainerPlan& plan = received.plan;
  const NamespacesPlan& namespaces = plan.namespaces;
  if (namespaces.user != NamespaceUse::host) TRY(become_root());
  fault::point("inside-mapped");
  // Made by the container's root, so that /dev/mqueue is its own.
  if (namespaces.ipc == NamespaceUse::own && ::unshare(CLONE_NEWIPC) != 0)
    return fail_errno(errno, "make the container's IPC namespace");
  TRY(make_and_send_mounts(plan, channel));
  if (namespaces.network == NamespaceUse::own) TRY(bring_loopback_up());
  std::vector<sys::UniqueFd> terminal = TRY(expect(channel, Step::enter, 1));
  // Mounts that come from a namespace of the host's user namespace are locked in the copy
  // (mount_namespaces(7)).
  const int own_cgroup = namespaces.cgroup == NamespaceUse::own ? CLONE_NEWCGROUP : 0;
  if (::unshare(CLONE_NEWNS | own_cgroup) != 0)
    return fail_errno(errno, "enter the container's mount namespace");
  fault::point("inside-entered");
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0) {
    return fail_errno(errno, "set the hostname to {}", plan.hostname);
  }
  // A session keyring of its own, or the container would have the caller's keys. Kernels without keyrings
  // have nothing to leak.
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, plan.id.c_str()) < 0 && errno != ENOSYS &&
      errno != EPERM) {
    return fail_errno(errno, "make a session keyring");
  }
  if (::setsid() < 0) return fail_errno(errno, "start a session");
  if (!terminal.empty()) TRY_CONTEXT(take_terminal(plan, std::move(terminal.front())), "set up the terminal");
  if (received.needs_input) TRY_CONTEXT(take_null_input(), "set up the standard input");
  TRY(set_limits(plan.process));
  // As root first, as runc and crun have it: images name directories that are closed to the user whom the
  // caller has chosen. Some are open to the user only, on a file system that does not know this root.
  const Result<> entered = enter_working_directory(plan.process);
  const bool closed = !entered && (entered.error().err == EACCES || entered.error().err == EPERM);
  if (!entered && !closed) return std::unexpected(entered.error());
  TRY(become_user(plan.process));
  if (closed) TRY(enter_working_directory(plan.process));
  // Set after the last change of credentials, which clears it. If the monitor died before this, its end of
  // the channel is closed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd monitor{channel.fd(), 0, 0};
  if (::poll(&monitor, 1, 0) > 0 && (monitor.revents & POLLHUP) != 0) return fail("berth-monitor is gone");
  fault::point("inside-ready");
  return std::move(plan);
}

}  // namespace

void run_inside(InsideDescriptors descriptors) {
  const int early_status = descriptors.status.get();
  const Result<ContainerPlan> ready = set_up(descriptors);
  const Error error = ready ? execute(ready->process, kInitFd) : ready.error();
  const std::string failure = wire::encode(to_failure(error));
  if (!sys::write_all(kStatusFd, failure)) [[maybe_unused]]
    const Result<> second_try = sys::write_all(early_status, failure);
  ::_exit(1);
}

}  // namespace berth::runtime
