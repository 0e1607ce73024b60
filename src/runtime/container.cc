#include "runtime/container.h"

#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "idmap/id_map.h"
#include "runtime/assembly.h"
#include "runtime/bind_sources.h"
#include "runtime/hook_mounts.h"
#include "runtime/inside.h"
#include "runtime/mounts_from_outside.h"
#include "runtime/namespaced_mounts.h"
#include "runtime/protocol.h"
#include "runtime/rootfs.h"
#include "runtime/terminal.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/mount_place.h"
#include "sys/pipe.h"
#include "sys/process.h"
#include "sys/sealed_program.h"
#include "sys/user_namespace.h"

namespace berth::runtime {

namespace {

// A mount namespace of the host's user namespace for as long as the object lives; nothing in it is seen
// outside.
class PrivateMountNamespace {
 public:
  static Result<PrivateMountNamespace> enter() {
    sys::UniqueFd host = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
    if (::unshare(CLONE_NEWNS) != 0) return fail_errno(errno, "make a private mount namespace");
    PrivateMountNamespace entered(std::move(host));
    TRY(sys::separate_mounts());
    return entered;
  }
  [[nodiscard]] int host() const { return host_.get(); }
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

// The IPC and the cgroup namespace are unshared later, by the process itself (inside.cc).
uint64_t clone_flags(const NamespacesPlan& plan) {
  uint64_t flags = 0;
  if (plan.user == NamespaceUse::own) flags |= CLONE_NEWUSER;
  if (plan.pid == NamespaceUse::own) flags |= CLONE_NEWPID;
  if (plan.network == NamespaceUse::own) flags |= CLONE_NEWNET;
  if (plan.uts == NamespaceUse::own) flags |= CLONE_NEWUTS;
  if (plan.time == NamespaceUse::own) flags |= CLONE_NEWTIME;
  return flags;
}

// The namespace was opened before the plan was made; the plan's IDs are what everything else goes by.
Result<> check_map(int process, const char* file, const std::vector<IdExtent>& planned) {
  constexpr size_t kLongestMap = 16384;  // 340 lines, in columns
  const std::string text = TRY(sys::read_file_at(process, file, kLongestMap));
  if (TRY(idmap::IdMap::parse(text)) == TRY(idmap::IdMap::parse(map_text(planned)))) return {};
  return fail(Code::conflict, "the user namespace that is to be joined has another {} than was planned for",
              file);
}

Result<HostIds> root_ids(const ContainerPlan& plan) {
  // A map without 0 has no root; then its first IDs own what berth makes.
  const auto first = [](const std::vector<IdExtent>& map) -> uint32_t {
    const Result<uint32_t> root = outside_id(map, 0);
    return root ? *root : map.front().outside;
  };
  return HostIds{HostUid(first(plan.uid_map)), HostGid(first(plan.gid_map))};
}

}  // namespace

// If the start fails, the process is killed and reaped.
class PreparedContainer::Parts {
 public:
  Result<> prepare(const Namespaces& namespaces, sys::UniqueFd init_program, unsigned preserved) {
    namespaces_ = namespaces.plan;
    mounts_.emplace(TRY(PrivateMountNamespace::enter()));
    auto [ours, theirs] = TRY(sys::Channel::make_pair());
    auto [status, status_inside] = TRY(sys::make_pipe());
    status_ = std::move(status);
    child_ = TRY_CONTEXT(sys::fork_into_joined(clone_flags(namespaces.plan), namespaces.joined,
                                               namespaces.time_offsets, namespaces.cgroup),
                         "create the container's namespaces");
    if (child_.pid == 0) {
      run_inside({sys::UniqueFd(theirs.release()), std::move(status_inside), std::move(init_program)},
                 preserved);
    }
    channel_ = std::move(ours);
    fault::point("process-created");
    return {};
  }

  Result<RunningContainer> start(const ContainerPlan& plan, const StartRequest& request) {
    // What only the mounting needed; let go after the exec, as taking a mount apart makes its owner wait.
    std::vector<sys::UniqueFd> sources;
    Result<> outcome = assemble_and_enter(plan, request, sources);
    if (outcome) outcome = request.start_socket < 0 ? await_exec(plan) : await_ready(request);
    if (!outcome) {
      const Error error = explain(plan, outcome.error());
      end_process();
      return std::unexpected(error);
    }
    return RunningContainer{child_.pid, std::exchange(child_.pidfd, {}), std::move(terminal_)};
  }

  [[nodiscard]] pid_t pid() const { return child_.pid; }

  void end_process() {
    if (!child_.pidfd.valid()) return;
    [[maybe_unused]] const Result<> killed = sys::send_signal(child_.pidfd.get(), SIGKILL);
    [[maybe_unused]] const Result<siginfo_t> reaped = sys::wait_for(child_.pidfd.get());
    child_.pidfd.reset();
  }

 private:
  Result<> assemble_and_enter(const ContainerPlan& plan, const StartRequest& request,
                              std::vector<sys::UniqueFd>& sources) {
    const bool has_map = namespaces_.user != NamespaceUse::host;
    if (plan.uid_map.empty() == has_map || plan.namespaces != namespaces_)
      return fail("the container's namespaces are not those that its plan is for");
    const sys::UniqueFd user_namespace = TRY(map_ids(plan));
    const StepMessage mapped{Step::mapped, static_cast<uint32_t>(request.cgroup_entrances.size())};
    TRY(channel_.send(wire::encode(mapped), descriptors_of(request)));
    const HostIds ids = TRY(root_ids(plan));
    std::optional<sys::MountPlace> place;
    if (sys::mounts_need_a_place()) place.emplace(TRY(sys::MountPlace::make(request.scratch + "/mounts")));
    std::vector<sys::UniqueFd> binds = TRY(open_bind_sources(plan, user_namespace.get(), mounts_->host()));
    const RootfsRequest wanted{plan.rootfs, user_namespace.get(), ids, request.scratch, mounts_->host()};
    sys::UniqueFd rootfs = TRY_CONTEXT(mount_rootfs(wanted, sources), "mount the root file system");
    fault::point("rootfs-mounted");
    sys::let_own_mount_go();
    NamespacedSet namespaced =
        TRY(place ? make_mounts_outside(plan, child_.pid, user_namespace.get(), channel_)
                  : receive_mounts(plan, channel_));
    terminal_ = std::move(namespaced.terminal);
    sys::UniqueFd peer;
    if (terminal_) peer = TRY(open_peer(terminal_.get(), plan.process));
    // A directory of the host's on itself: that is where hooks look for it.
    const std::string& directory = plan.rootfs.directory;
    TRY(sys::attach(rootfs.get(), AT_FDCWD, directory.empty() ? "/" : directory));
    const safepath::Root root(TRY(sys::open_at(rootfs.get(), ".", O_PATH | O_DIRECTORY)));
    TRY(assemble(plan, root, ids, std::move(binds), std::move(namespaced.mounts), peer.get()));
    if (request.before_pivot) TRY(request.before_pivot());
    if (request.change_mounts)
      rootfs = TRY(rootfs_after_hooks(directory, user_namespace.get(), request.change_mounts));
    if (plan.rootfs.read_only) TRY(sys::set_attributes(rootfs.get(), MOUNT_ATTR_RDONLY, 0, false));
    TRY(pivot_into(rootfs.get()));
    fault::point("assembled");
    std::vector<int> fds;
    if (peer.valid()) fds.push_back(peer.get());
    if (request.start_socket >= 0) fds.push_back(request.start_socket);
    if (plan.namespaces.user == NamespaceUse::host) mounts_.reset();  // it is the container's from here on
    TRY(channel_.send(wire::encode(StepMessage{.step = Step::enter}), fds));
    mounts_.reset();
    return {};
  }

  static std::vector<int> descriptors_of(const StartRequest& request) {
    std::vector<int> fds{request.plan_file};
    fds.insert(fds.end(), request.cgroup_entrances.begin(), request.cgroup_entrances.end());
    const Streams& streams = request.streams;
    for (const sys::UniqueFd* stream : {&streams.input, &streams.output, &streams.error}) {
      if (stream->valid()) fds.push_back(stream->get());
    }
    return fds;
  }

  // Writes the maps of a new user namespace, looks at those of another's, and opens it; an invalid descriptor
  // if the container uses the host's.
  [[nodiscard]] Result<sys::UniqueFd> map_ids(const ContainerPlan& plan) const {
    if (namespaces_.user == NamespaceUse::host) return sys::UniqueFd();
    const sys::UniqueFd process =
        TRY(sys::open_at(AT_FDCWD, fmt::format("/proc/{}", child_.pid), O_PATH | O_DIRECTORY));
    if (namespaces_.user == NamespaceUse::joined) {
      TRY(check_map(process.get(), "uid_map", plan.uid_map));
      TRY(check_map(process.get(), "gid_map", plan.gid_map));
    } else {
      TRY(sys::write_id_maps(process.get(), map_text(plan.uid_map), map_text(plan.gid_map)));
    }
    return sys::open_at(process.get(), "ns/user", O_RDONLY);
  }

  static Result<> pivot_into(int rootfs) {
    if (::fchdir(rootfs) != 0) return fail_errno(errno, "enter the root file system");
    // The old root ends up on top of the new one, and is taken off (pivot_root(2), "pivot_root(".", ".")").
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return fail_errno(errno, "pivot into the root file system");
    if (::umount2(".", MNT_DETACH) != 0) return fail_errno(errno, "leave the host's file systems");
    return {};
  }

  // The status pipe ends when the command has been executed, or brings the reason why it has not.
  [[nodiscard]] Result<> await_exec(const ContainerPlan& plan) const {
    const std::string said = TRY(sys::read_all(status_.get(), kLongestFailure));
    if (said.empty()) return {};
    return std::unexpected(failure_from(plan.process.argv.front(), said));
  }

  // The process says that it is ready; where it fails instead, the channel ends and the status pipe has why.
  [[nodiscard]] Result<> await_ready(const StartRequest& request) {
    while (true) {
      const sys::Message message = TRY(channel_.receive(1));
      if (message.data.empty()) return fail("the container's process ended before it was ready");
      const Step step = TRY(wire::decode<StepMessage>(message.data)).step;
      if (step == Step::ready) return {};
      if (step != Step::listener || message.fds.size() != 1 || !request.take_listener)
        return fail("the container's process said something out of turn");
      TRY(request.take_listener(message.fds.front()));
    }
  }

  // If the new process has said why it failed, that is the reason; what the host side saw is only the
  // consequence.
  [[nodiscard]] Error explain(const ContainerPlan& plan, const Error& seen) const {
    if (!status_.valid() || !child_.pidfd.valid()) return seen;
    pollfd readable{status_.get(), POLLIN, 0};
    if (::poll(&readable, 1, 0) <= 0) return seen;
    std::string said(kLongestFailure, '\0');
    const ssize_t length = ::read(status_.get(), said.data(), said.size());
    if (length <= 0) return seen;
    said.resize(static_cast<size_t>(length));
    return failure_from(plan.process.argv.front(), said);
  }

  NamespacesPlan namespaces_;
  std::optional<PrivateMountNamespace> mounts_;
  sys::Child child_;
  sys::Channel channel_;
  sys::UniqueFd status_;
  sys::UniqueFd terminal_;
};

PreparedContainer::PreparedContainer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PreparedContainer::PreparedContainer(PreparedContainer&&) noexcept = default;
PreparedContainer::~PreparedContainer() {
  if (parts_) parts_->end_process();
}

pid_t PreparedContainer::pid() const {
  return parts_->pid();
}

Result<PreparedContainer> PreparedContainer::prepare(const Namespaces& namespaces, sys::UniqueFd init_program,
                                                     unsigned preserved) {
  auto parts = std::make_unique<Parts>();
  TRY(parts->prepare(namespaces, std::move(init_program), preserved));
  return PreparedContainer(std::move(parts));
}

Result<RunningContainer> PreparedContainer::start(const ContainerPlan& plan, const StartRequest& request) {
  if (plan.process.argv.empty()) return fail("the plan has no command");
  return parts_->start(plan, request);
}

}  // namespace berth::runtime
