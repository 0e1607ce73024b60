#include "runtime/inside.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "runtime/await_start.h"
#include "runtime/credentials.h"
#include "runtime/descriptors.h"
#include "runtime/execution.h"
#include "runtime/hooks.h"
#include "runtime/mounts_from_outside.h"
#include "runtime/namespaced_mounts.h"
#include "runtime/process_attributes.h"
#include "runtime/protocol.h"
#include "runtime/terminal.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/openat2.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

// Where the descriptors of the new process are: behind the standard streams and those that stay.
struct Numbers {
  explicit Numbers(unsigned preserved)
      : status(3 + static_cast<int>(preserved)),
        channel(status + 1),
        init(status + 2),
        first_free(status + 3) {}
  int status;
  int channel;
  int init;
  int first_free;
};

// The maker's log, locks and directories are not for this side.
Result<> arrange_descriptors(InsideDescriptors& wanted, const Numbers& numbers) {
  const std::array<Placement, 3> places{{{&wanted.status, numbers.status},
                                         {&wanted.channel, numbers.channel},
                                         {&wanted.init_program, numbers.init}}};
  return place_descriptors(places, numbers.first_free);
}

constexpr const char* kMakerIsGone = "who made the container is gone";

struct Received {
  StepMessage message;
  std::vector<sys::UniqueFd> fds;
};

// The message for a step, with `most` descriptors at most.
Result<Received> expect(sys::Channel& channel, Step step, size_t most) {
  sys::Message message = TRY(channel.receive(most));
  if (message.data.empty()) return fail("{}", kMakerIsGone);
  const auto decoded = TRY(wire::decode<StepMessage>(message.data));
  if (decoded.step != step) return fail("the container's maker said something out of turn");
  return Received{decoded, std::move(message.fds)};
}

struct ReceivedPlan {
  ContainerPlan plan;
  bool needs_input = false;  // its standard input is to be /dev/null
};

// The plan, and the standard streams, which take their places: none for a container with a terminal or the
// caller's own, and two where it has no input.
Result<ReceivedPlan> receive_plan(sys::Channel& channel) {
  constexpr size_t kStreams = 3;
  constexpr size_t kMostEntrances = 64;
  Received received = TRY(expect(channel, Step::mapped, 1 + kMostEntrances + kStreams));
  const size_t others = 1 + received.message.entrances;
  if (received.fds.size() < others || received.fds.size() > others + kStreams ||
      received.fds.size() == others + 1)
    return fail("the container's maker sent the wrong descriptors");
  const std::span<const sys::UniqueFd> fds(received.fds);
  TRY(cgroup::enter(fds.subspan(1, received.message.entrances)));
  const std::span<const sys::UniqueFd> streams = fds.subspan(others);
  for (size_t i = 0; i < streams.size(); ++i) {
    if (::dup2(streams[i].get(), static_cast<int>(kStreams - streams.size() + i)) < 0)
      return fail_errno(errno, "use the standard streams");
  }
  // Who made it has read it to the end.
  if (::lseek(fds[0].get(), 0, SEEK_SET) != 0) return fail_errno(errno, "read the plan");
  const std::string bytes = TRY(sys::read_all(fds[0].get(), kLargestPlan));
  return ReceivedPlan{TRY(wire::decode<ContainerPlan>(bytes)), streams.size() == kStreams - 1};
}

// proc and its kin can be mounted only where the mount namespace belongs to the container's user namespace,
// and the container's own is not unshared before everything is in its place. So they are made in one that
// goes again; or by the maker, if none of that could be handed over.
Result<> make_and_send_mounts(const ContainerPlan& plan, sys::Channel& channel) {
  Result<NamespacedSet> made = fail("nothing was made");
  // A cgroup mount shows the tree from the root of its maker's cgroup namespace on.
  const bool cgroups = std::any_of(plan.mounts.begin(), plan.mounts.end(), [](const MountPlan& mount) {
    return mount.kind == MountKind::namespaced && mount.type.starts_with("cgroup");
  });
  if (sys::mounts_need_a_place()) return leave_mounts_to_maker(cgroups, channel);
  const int namespaces = CLONE_NEWNS | (cgroups ? CLONE_NEWCGROUP : 0);
  TRY(sys::call_in_namespaces(namespaces, [&] { made = make_mounts(plan); }));
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

// A new session, with the terminal as its controlling one. The terminal is opened again by its name in the
// container, so that ttyname(3) finds it there, and compared with the descriptor that the monitor got from
// the kernel (TIOCGPTPEER), so that the name can't have been swapped (CVE-2025-52565).
Result<> take_terminal(const ContainerPlan& plan, sys::UniqueFd received) {
  const sys::UniqueFd peer = TRY(move_behind_streams(std::move(received)));
  const struct stat by_peer = TRY(sys::stat_at(peer.get(), "", AT_EMPTY_PATH));
  const unsigned number = minor(by_peer.st_rdev);
  sys::UniqueFd opened = TRY(sys::open_at2(AT_FDCWD, fmt::format("/dev/pts/{}", number), O_RDWR | O_NOCTTY, 0,
                                           RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
  const sys::UniqueFd named = TRY(move_behind_streams(std::move(opened)));
  const struct stat by_name = TRY(sys::stat_at(named.get(), "", AT_EMPTY_PATH));
  if (by_name.st_dev != by_peer.st_dev || by_name.st_ino != by_peer.st_ino) {
    return fail("/dev/pts/{} is not the container's terminal", number);
  }
  return use_terminal(named.get(), plan.process.uid);
}

// A node of the container's own: of the host's, a root with the host's IDs could change the mode.
Result<> take_null_input() {
  const sys::UniqueFd null = TRY(sys::open_at2(AT_FDCWD, "/dev/null", O_RDONLY | O_NOCTTY, 0, 0));
  if (::dup2(null.get(), 0) < 0) return fail_errno(errno, "use /dev/null");
  return {};
}

Result<> set_root_propagation(const RootfsPlan& rootfs) {
  for (const Propagation& change : rootfs.propagation)
    TRY(sys::set_propagation(AT_FDCWD, "/", change.type, change.recursive));
  return {};
}

Result<> name_host(const ContainerPlan& plan) {
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0)
    return fail_errno(errno, "set the hostname to {}", plan.hostname);
  if (!plan.domainname.empty() && ::setdomainname(plan.domainname.data(), plan.domainname.size()) != 0)
    return fail_errno(errno, "set the domain name to {}", plan.domainname);
  return {};
}

// Set after the last change of credentials, which clears it. If the maker died before this, its end of the
// channel is closed.
Result<> end_with_maker(const sys::Channel& channel) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (channel.peer_is_gone()) return fail("{}", kMakerIsGone);
  return {};
}

// What there is before the root file system is in its place.
Result<> set_up_namespaces(const ContainerPlan& plan, sys::Channel& channel) {
  const NamespacesPlan& namespaces = plan.namespaces;
  if (namespaces.user != NamespaceUse::host) TRY(become_root(plan.process.keep_groups));
  fault::point("inside-mapped");
  // Made by the container's root, so that /dev/mqueue is its own; and the cgroup that the process is in by
  // now is the root of the cgroup namespace.
  const int own_ipc = namespaces.ipc == NamespaceUse::own ? CLONE_NEWIPC : 0;
  const int own_cgroup = namespaces.cgroup == NamespaceUse::own ? CLONE_NEWCGROUP : 0;
  if (::unshare(own_ipc | own_cgroup) != 0)
    return fail_errno(errno, "make the container's IPC and cgroup namespaces");
  TRY(make_and_send_mounts(plan, channel));
  if (namespaces.network == NamespaceUse::own) TRY(bring_loopback_up());
  return {};
}

struct Ready {
  ContainerPlan plan;
  bool has_init_program = false;
  std::string command;  // the file to execute
  sys::Channel start;   // the socket to wait at; not open: the command is executed at once
};

Result<Ready> set_up(InsideDescriptors& descriptors, const Numbers& numbers, sys::Channel& channel) {
  // Nothing may trace or read this process through /proc while it still holds something of the host's.
  ::prctl(PR_SET_DUMPABLE, 0);
  const bool has_init_program = descriptors.init_program.valid();
  TRY(arrange_descriptors(descriptors, numbers));
  channel = sys::Channel(sys::UniqueFd(numbers.channel));
  sys::set_process_name("berth-start");
  ReceivedPlan received = TRY(receive_plan(channel));
  Ready ready{std::move(received.plan), has_init_program, {}, {}};
  const ContainerPlan& plan = ready.plan;
  TRY(set_up_namespaces(plan, channel));
  std::vector<sys::UniqueFd> given = TRY(expect(channel, Step::enter, 2)).fds;
  // Mounts that come from a namespace of the host's user namespace are locked in the copy
  // (mount_namespaces(7)). In the host's own a copy would have nothing more than what this process is in.
  const bool own_users = plan.namespaces.user != NamespaceUse::host;
  if (own_users && ::unshare(CLONE_NEWNS) != 0)
    return fail_errno(errno, "enter the container's mount namespace");
  TRY(set_root_propagation(plan.rootfs));
  fault::point("inside-entered");
  TRY(name_host(plan));
  TRY(take_own_keyring(plan.process));
  if (::setsid() < 0) return fail_errno(errno, "start a session");
  if (plan.process.terminal) {
    if (given.empty()) return fail("the container's maker sent no terminal");
    TRY_CONTEXT(take_terminal(plan, std::move(given.front())), "set up the terminal");
    given.erase(given.begin());
  }
  if (received.needs_input) TRY_CONTEXT(take_null_input(), "set up the standard input");
  TRY(set_limits(plan.process));
  TRY(set_attributes(plan.process));
  ListenerTaker send_listener;
  if (!given.empty()) {
    send_listener = [&channel](int listener) {
      return channel.send(wire::encode(StepMessage{.step = Step::listener}), {listener});
    };
  }
  TRY(enter_directory_and_become(plan.process, send_listener));
  if (given.empty()) TRY(end_with_maker(channel));
  ready.command = TRY(find_command(plan.process));
  fault::point("inside-ready");
  if (!given.empty()) {
    ready.start = sys::Channel(std::move(given.front()));
    TRY(channel.send(wire::encode(StepMessage{Step::ready})));
  }
  return ready;
}

// The status pipe's reader has gone with the container's maker; the connection of who starts it takes its
// place.
Result<> wait_for_start(Ready& ready, const Numbers& numbers) {
  StartOrder order = TRY(await_start(ready.start));
  if (::dup3(order.connection.get(), numbers.status, O_CLOEXEC) < 0)
    return fail_errno(errno, "answer who starts the container");
  if (ready.plan.start_hooks.empty()) return {};
  const std::string state = TRY(sys::read_all(order.state.get(), kLargestPlan));
  return run_hooks("startContainer", ready.plan.start_hooks, state, {.filtered = &ready.plan.process});
}

Error run(InsideDescriptors& descriptors, const Numbers& numbers, sys::Channel& channel) {
  Result<Ready> ready = set_up(descriptors, numbers, channel);
  if (!ready) return ready.error();
  channel.close();
  if (ready->start.open()) {
    const Result<> started = wait_for_start(*ready, numbers);
    if (!started) return started.error();
  }
  const ProcessPlan& process = ready->plan.process;
  if (const Result<> filtered = filter_calls(process); !filtered) return filtered.error();
  return execute({.init = process.init,
                  .path = ready->command,
                  .argv = process.argv,
                  .environment = process.environment,
                  .init_program = ready->has_init_program ? numbers.init : -1,
                  .status = numbers.status});
}

}  // namespace

void run_inside(InsideDescriptors descriptors, unsigned preserved) {
  log::set_sink(nullptr);  // the maker's log is not for this side
  const int early_status = descriptors.status.get();
  const Numbers numbers(preserved);
  sys::Channel channel;  // open until the reason is told, for its end makes the other side look for one
  const std::string failure = wire::encode(to_failure(run(descriptors, numbers, channel)));
  // Before the descriptors are at their numbers, another one may be at this.
  const bool placed = !descriptors.status.valid();
  [[maybe_unused]] const Result<> told = sys::write_all(placed ? numbers.status : early_status, failure);
  ::_exit(1);
}

}  // namespace berth::runtime
