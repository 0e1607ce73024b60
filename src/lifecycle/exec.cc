#include "lifecycle/exec.h"

#include <cerrno>

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
#include "runtime/adjust_process.h"
#include "runtime/entrance.h"
#include "runtime/exec.h"
#include "sys/process.h"

namespace berth::lifecycle {

namespace {

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
    runtime::ProcessPlan& process = wish_.plan.process;
    if (!sys::is_among(entrance_->namespaces, CLONE_NEWUSER))
      leave_out_unavailable(process.capabilities, "exec");
    wish_.plan.last_born = runtime::can_be_traced(*entrance_, process, record_.process.capabilities.bounding);
    Result<runtime::RunningContainer> started = start();
    if (!started && started.error().err == EBUSY && cgroup_ && options_.cgroups.empty()) {
      cgroup_ = TRY(open_cgroup_of_process(*cgroup_, record_.pid));
      started = start();
    }
    // It can have ended meanwhile, and all of its processes with it.
    if (!started && runtime::has_ended(process_)) return stopped();
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
    entrance_ = TRY(runtime::open_entrance(record_.pid, process_));
    if (!entrance_) return stopped();
    add_home(wish_.plan.process.environment, entrance_->root, wish_.plan.process.uid);
    if (!cgroup_) return {};
    if (!options_.cgroups.empty()) cgroup_ = TRY(open_sub_cgroup(*cgroup_, options_.cgroups));
    entrances_ = TRY(cgroup_->entrances(true));
    return {};
  }

  Result<runtime::RunningContainer> start() {
    return runtime::start_process(wish_.plan, {.joined = entrance_->namespaces,
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

  [[nodiscard]] Result<> adjust(pid_t pid) const {
    runtime::give_streams(wish_.plan.process, record_.uid_map);
    TRY(runtime::raise_limits(pid, wish_.plan.process));
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
  std::optional<runtime::Entrance> entrance_;
  std::vector<sys::UniqueFd> entrances_;
};

}  // namespace

Result<runtime::RunningContainer> exec(const Root& root, const ExecOptions& options) {
  const sys::UniqueFd directory = TRY(look_into(root, options.id));
  return Execution(options, TRY(read_record(directory.get()))).run();
}

}  // namespace berth::lifecycle
