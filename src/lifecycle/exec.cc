#include "lifecycle/exec.h"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include "lifecycle/adjust_process.h"
#include "lifecycle/console_socket.h"
#include "lifecycle/document.h"
#include "lifecycle/home.h"
#include "lifecycle/own_capabilities.h"
#include "lifecycle/plan_exec.h"
#include "lifecycle/record.h"
#include "lifecycle/seccomp_agent.h"
#include "lifecycle/sub_cgroup.h"
#include "runtime/credentials.h"
#include "safepath/root.h"
#include "sys/process.h"

namespace berth::lifecycle {

namespace {

bool has_ended(const sys::UniqueFd& process) {
  pollfd ended{process.get(), POLLIN, 0};
  return sys::poll_process({&ended, 1}, 0) > 0;
}

std::unexpected<Error> stopped() {
  return fail(Code::conflict, "cannot exec in a stopped container");  // runc's words, as the next
}

class Execution {
 public:
  Execution(const ExecOptions& options, Record record) : options_(options), record_(std::move(record)) {}

  Result<runtime::RunningContainer> run() {
    TRY(check_container());
    std::optional<bundle::Process> file;
    if (!options_.process_file.empty()) file = TRY(read_process(options_.process_file));
    wish_ = TRY(plan_exec(record_, file, options_));
    TRY(open_container());
    if (!sys::is_among(joined_, CLONE_NEWUSER)) {
      leave_out_unavailable(wish_.plan.process.capabilities, "exec");
      wish_.plan.last_born = can_be_traced();
    }
    Result<runtime::RunningContainer> started = start();
    if (!started && started.error().err == EBUSY && cgroup_ && options_.cgroups.empty()) {
      cgroup_ = TRY(open_cgroup_of_process(*cgroup_, record_.pid));
      started = start();
    }
    // It can have ended meanwhile, and all of its processes with it.
    if (!started && has_ended(process_)) return stopped();
    if (!started) return std::unexpected(started.error());
    const Result<> told = tell_caller(*started);
    if (told) return started;
    TRY(sys::send_signal(started->pidfd.get(), SIGKILL));
    TRY(sys::wait_for(started->pidfd.get()));
    return std::unexpected(told.error());
  }

 private:
  Result<> check_container() {
    std::optional<sys::UniqueFd> process = TRY(open_process(record_));
    if (!process) return stopped();
    if (!record_.created) return fail(Code::conflict, "cannot exec in a container that is being created");
    process_ = std::move(*process);
    cgroup_ = TRY(open_cgroup(record_));
    if (options_.ignore_paused || !cgroup_) return {};
    const Result<bool> frozen = cgroup_->frozen();
    if (frozen && *frozen)
      return fail(Code::conflict, "cannot exec in a paused container (use --ignore-paused to override)");
    return {};
  }

  // Its namespaces, its root and its cgroup, all as they are now and all of this very process.
  Result<> open_container() {
    constexpr uint64_t kAll = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                              CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;
    Result<std::vector<sys::JoinedNamespace>> apart = sys::namespaces_apart(record_.pid, kAll);
    Result<sys::UniqueFd> root =
        sys::open_at(AT_FDCWD, fmt::format("/proc/{}/root", record_.pid), O_PATH | O_DIRECTORY);
    // Its PID is another's as soon as somebody has waited for it, and that is not before its end.
    if (has_ended(process_)) return stopped();
    joined_ = TRY(std::move(apart));
    add_home(wish_.plan.process.environment, safepath::Root(TRY(std::move(root))), wish_.plan.process.uid);
    if (!cgroup_) return {};
    if (!options_.cgroups.empty()) cgroup_ = TRY(open_sub_cgroup(*cgroup_, options_.cgroups));
    entrances_ = TRY(cgroup_->entrances(true));
    return {};
  }

  Result<runtime::RunningContainer> start() {
    return runtime::start_process(wish_.plan, {.joined = joined_,
                                               .cgroup = cgroup_ ? cgroup_->clone_fd() : -1,
                                               .cgroup_entrances = entrances_,
                                               .preserved = options_.preserved,
                                               .adjust = [&](pid_t pid) { return adjust(pid); },
                                               .take_listener =
                                                   [&](pid_t pid, const sys::UniqueFd& listener) {
                                                     return tell_agent(record_, bundle::Status::running, pid,
                                                                       listener);
                                                   }});
  }

  // By the container's processes, in the user namespace of the host. A label is set through the container's
  // /proc, where only who is in its PID namespace finds itself, and keeps others from tracing.
  [[nodiscard]] bool can_be_traced() const {
    constexpr uint64_t kSysPtrace = uint64_t{1} << 19;
    const runtime::ProcessPlan& process = wish_.plan.process;
    return (record_.process.capabilities.bounding & kSysPtrace) != 0 &&
           sys::is_among(joined_, CLONE_NEWPID) && !runtime::notifies(process) &&
           process.apparmor_profile.empty() && process.selinux_label.empty();
  }

  [[nodiscard]] Result<> adjust(pid_t pid) const {
    give_streams(wish_.plan.process, record_.uid_map);
    TRY(raise_limits(pid, wish_.plan.process));
    return set_oom_score(pid, wish_.oom_score_adj);
  }

  Result<> tell_caller(runtime::RunningContainer& started) const {
    if (!options_.console_socket.empty()) {
      TRY(send_terminal(options_.console_socket, started.terminal));
      started.terminal.reset();
    }
    if (!options_.pid_file.empty()) return write_pid_file(options_.pid_file, started.pid);
    return {};
  }

  const ExecOptions& options_;
  Record record_;
  sys::UniqueFd process_;
  std::optional<cgroup::Cgroup> cgroup_;
  ExecWish wish_;
  std::vector<sys::JoinedNamespace> joined_;
  std::vector<sys::UniqueFd> entrances_;
};

}  // namespace

Result<runtime::RunningContainer> exec(const Root& root, const ExecOptions& options) {
  const sys::UniqueFd directory = TRY(look_into(root, options.id));
  return Execution(options, TRY(read_record(directory.get()))).run();
}

}  // namespace berth::lifecycle
