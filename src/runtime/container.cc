#include "runtime/container.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/fault.h"
#include "runtime/assembly.h"
#include "runtime/execution.h"
#include "runtime/inside.h"
#include "runtime/namespaced_mounts.h"
#include "runtime/protocol.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

constexpr size_t kLongestFailure = 64 * 1024;

// A mount namespace of the host's user namespace for as long as the object lives; nothing in it is seen
// outside.
class PrivateMountNamespace {
 public:
  static Result<PrivateMountNamespace> enter() {
    sys::UniqueFd host = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
    if (::unshare(CLONE_NEWNS) != 0) return fail_errno(errno, "make a private mount namespace");
    PrivateMountNamespace entered(std::move(host));
    TRY(sys::set_propagation(AT_FDCWD, "/", MS_PRIVATE, true));
    return entered;
  }
  PrivateMountNamespace(PrivateMountNamespace&&) = default;
  PrivateMountNamespace& operator=(PrivateMountNamespace&&) = delete;
  PrivateMountNamespace(const PrivateMountNamespace&) = delete;
  PrivateMountNamespace& operator=(const PrivateMountNamespace&) = delete;
  ~PrivateMountNamespace() {
    // Without the host's namespace the monitor can do nothing right any more.
    if (host_.valid() && ::setns(host_.get(), CLONE_NEWNS) != 0) ::abort();
  }

 private:
  explicit PrivateMountNamespace(sys::UniqueFd host) : host_(std::move(host)) {}
  sys::UniqueFd host_;
};

Result<HostIds> root_ids(const ContainerPlan& plan) {
  // A map without 0 has no root; then its first IDs own what berth makes.
  const auto first = [](const std::vector<IdExtent>& map) -> uint32_t {
    const Result<uint32_t> root = outside_id(map, 0);
    return root ? *root : map.front().outside;
  };
  return HostIds{HostUid(first(plan.uid_map)), HostGid(first(plan.gid_map))};
}

// The parts of a start that has begun: if it fails, the process is killed and reaped.
class Start {
 public:
  Start(const ContainerPlan& plan, std::string scratch) : plan_(plan), scratch_(std::move(scratch)) {}

  Result<RunningContainer> run(Streams streams, sys::UniqueFd init_program) {
    Result<> outcome = create_and_assemble(std::move(streams), std::move(init_program));
    if (outcome) outcome = await_exec();
    if (!outcome) {
      const Error error = explain(outcome.error());
      end_process();
      return std::unexpected(error);
    }
    return RunningContainer{child_.pid, std::move(child_.pidfd), std::move(terminal_)};
  }

 private:
  Result<> create_and_assemble(Streams streams, sys::UniqueFd init_program) {
    const PrivateMountNamespace mounts = TRY(PrivateMountNamespace::enter());
    TRY(create_process(std::move(streams), std::move(init_program)));
    fault::point("process-created");
    const sys::UniqueFd user_namespace = TRY(map_ids());
    TRY(channel_.send(wire::encode(StepMessage{.step = Step::mapped})));
    const HostIds ids = TRY(root_ids(plan_));
    std::vector<sys::UniqueFd> sources = TRY(open_bind_sources(plan_, user_namespace.get()));
    const sys::UniqueFd rootfs = TRY_CONTEXT(mount_rootfs(plan_.rootfs, user_namespace.get(), ids, scratch_),
                                             "mount the root file system");
    fault::point("rootfs-mounted");
    NamespacedSet namespaced = TRY(receive_mounts(channel_));
    terminal_ = std::move(namespaced.terminal);
    const sys::UniqueFd peer = TRY(open_terminal_peer());
    TRY(sys::attach(rootfs.get(), AT_FDCWD, "/"));
    const safepath::Root root(TRY(sys::open_at(rootfs.get(), ".", O_PATH | O_DIRECTORY)));
    TRY(assemble(plan_, root, ids, std::move(sources), std::move(namespaced.mounts), peer.get()));
    TRY(pivot_into(rootfs.get()));
    fault::point("assembled");
    const std::vector<int> fds = peer.valid() ? std::vector<int>{peer.get()} : std::vector<int>{};
    return channel_.send(wire::encode(StepMessage{.step = Step::enter}), fds);
  }

  Result<> create_process(Streams streams, sys::UniqueFd init_program) {
    auto [ours, theirs] = TRY(sys::Channel::make_pair());
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return fail_errno(errno, "make a pipe");
    status_ = sys::UniqueFd(pipe[0]);
    sys::UniqueFd status_inside(pipe[1]);
    uint64_t namespaces = CLONE_NEWPID | CLONE_NEWUTS;
    if (!plan_.uid_map.empty()) namespaces |= CLONE_NEWUSER;
    if (plan_.private_network) namespaces |= CLONE_NEWNET;
    child_ = TRY_CONTEXT(sys::fork_into(namespaces), "create the container's namespaces");
    if (child_.pid == 0) {
      run_inside(plan_, {std::move(streams.input), std::move(streams.output), std::move(streams.error),
                         sys::UniqueFd(theirs.release()), std::move(status_inside), std::move(init_program)});
    }
    channel_ = std::move(ours);
    return {};
  }

  // Writes the maps and opens the user namespace; an invalid descriptor if the container uses the host's.
  Result<sys::UniqueFd> map_ids() {
    if (plan_.uid_map.empty()) return sys::UniqueFd();
    const sys::UniqueFd process =
        TRY(sys::open_at(AT_FDCWD, fmt::format("/proc/{}", child_.pid), O_PATH | O_DIRECTORY));
    TRY_CONTEXT(sys::write_control_file(process.get(), "uid_map", map_text(plan_.uid_map)),
                "map the user IDs");
    TRY_CONTEXT(sys::write_control_file(process.get(), "gid_map", map_text(plan_.gid_map)),
                "map the group IDs");
    return sys::open_at(process.get(), "ns/user", O_RDONLY);
  }

  // The other end by descriptor, not by its name under /dev/pts (TIOCGPTPEER, ioctl_tty(2)).
  Result<sys::UniqueFd> open_terminal_peer() {
    if (!terminal_.valid()) return sys::UniqueFd();
    if (plan_.process.rows != 0) {
      const winsize size{plan_.process.rows, plan_.process.columns, 0, 0};
      ::ioctl(terminal_.get(), TIOCSWINSZ, &size);
    }
    sys::UniqueFd peer(::ioctl(terminal_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!peer.valid()) return fail_errno(errno, "open the container's terminal");
    return peer;
  }

  static Result<> pivot_into(int rootfs) {
    if (::fchdir(rootfs) != 0) return fail_errno(errno, "enter the root file system");
    // The old root ends up on top of the new one, and is taken off (pivot_root(2), "pivot_root(".", ".")").
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return fail_errno(errno, "pivot into the root file system");
    if (::umount2(".", MNT_DETACH) != 0) return fail_errno(errno, "leave the host's file systems");
    return {};
  }

  // The status pipe ends when the command has been executed, or brings the reason why it has not.
  Result<> await_exec() {
    const std::string said = TRY(sys::read_all(status_.get(), kLongestFailure));
    if (said.empty()) return {};
    return std::unexpected(failure_in(said));
  }

  [[nodiscard]] Error failure_in(const std::string& said) const {
    if (said.size() == sizeof(ExecFailure)) {
      ExecFailure failure;
      std::memcpy(&failure, said.data(), sizeof failure);
      if (failure.mark == kExecFailureMark) return exec_error(plan_.process.argv.front(), failure.err, true);
    }
    Result<Failure> failure = wire::decode<Failure>(said);
    return failure ? to_error(*failure) : failure.error();
  }

  // If the new process has said why it failed, that is the reason; what the host side saw is only the
  // consequence.
  [[nodiscard]] Error explain(const Error& seen) const {
    if (!status_.valid() || !child_.pidfd.valid()) return seen;
    pollfd readable{status_.get(), POLLIN, 0};
    if (::poll(&readable, 1, 0) <= 0) return seen;
    std::string said(kLongestFailure, '\0');
    const ssize_t length = ::read(status_.get(), said.data(), said.size());
    if (length <= 0) return seen;
    said.resize(static_cast<size_t>(length));
    return failure_in(said);
  }

  void end_process() {
    if (!child_.pidfd.valid()) return;
    [[maybe_unused]] const Result<> killed = sys::send_signal(child_.pidfd.get(), SIGKILL);
    [[maybe_unused]] const Result<siginfo_t> reaped = sys::wait_for(child_.pidfd.get());
  }

  const ContainerPlan& plan_;
  std::string scratch_;
  sys::Child child_;
  sys::Channel channel_;
  sys::UniqueFd status_;
  sys::UniqueFd terminal_;
};

}  // namespace

Result<RunningContainer> start_container(const ContainerPlan& plan, Streams streams,
                                         sys::UniqueFd init_program, const std::string& scratch) {
  if (plan.process.argv.empty()) return fail("the plan has no command");
  return Start(plan, scratch).run(std::move(streams), std::move(init_program));
}

}  // namespace berth::runtime
