#include "runtime/exec.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "runtime/credentials.h"
#include "runtime/descriptors.h"
#include "runtime/execution.h"
#include "runtime/last_born.h"
#include "runtime/process_attributes.h"
#include "runtime/protocol.h"
#include "runtime/terminal.h"
#include "sys/channel.h"
#include "sys/close_descriptors.h"
#include "sys/file.h"
#include "sys/pipe.h"
#include "sys/process.h"
#include "sys/sealed_program.h"

namespace berth::runtime {

namespace {

// As many CPUs as a kernel can be built for, one bit each (sched_setaffinity(2)).
using CpuMask = std::array<uint8_t, 1024>;

CpuMask mask_of(const std::vector<CpuRange>& ranges) {
  constexpr uint32_t kBits = 8;
  CpuMask mask{};
  for (const CpuRange& range : ranges) {
    for (uint32_t cpu = range.first; cpu <= range.last && cpu / kBits < mask.size(); ++cpu)
      mask[cpu / kBits] = static_cast<uint8_t>(mask[cpu / kBits] | 1U << cpu % kBits);
  }
  return mask;
}

Result<> run_on(const CpuMask& mask, const char* which) {
  if (::syscall(SYS_sched_setaffinity, 0, mask.size(), mask.data()) < 0)
    return fail_errno(errno, "set execCPUAffinity.{}", which);
  return {};
}

Result<> enter_cgroups_and_cpus(const ExecPlan& plan, const ExecRequest& request) {
  const AffinityPlan& affinity = plan.affinity;
  if (!affinity.initial.empty()) TRY(run_on(mask_of(affinity.initial), "initial"));
  TRY(cgroup::enter(request.cgroup_entrances));
  if (!affinity.final.empty()) return run_on(mask_of(affinity.final), "final");
  if (affinity.initial.empty()) return {};
  // What was for before only: all that the cgroup has.
  CpuMask all{};
  all.fill(0xff);
  return run_on(all, "final");
}

// The new process.
class Entering {
 public:
  Entering(const ExecPlan& plan, ExecRequest& request, const LastBorn& last_born, sys::UniqueFd channel,
           sys::UniqueFd status)
      : plan_(plan),
        request_(request),
        last_born_(last_born),
        own_channel_(std::move(channel)),
        own_status_(std::move(status)),
        own_init_(request.init_program),
        status_(3 + static_cast<int>(request.preserved)) {}

  [[noreturn]] void run() {
    log::set_sink(nullptr);  // the caller's log is not for this side
    const int early_status = own_status_.get();
    const std::string failure = wire::encode(to_failure(set_up_and_execute()));
    [[maybe_unused]] const Result<> told = sys::write_all(placed_ ? status_ : early_status, failure);
    ::_exit(1);
  }

 private:
  Error set_up_and_execute() {
    const Result<std::string> command = set_up();
    if (!command) return command.error();
    if (const Result<> filtered = filter_calls(plan_.process); !filtered) return filtered.error();
    if (last_born_.wanted()) {
      if (const Result<> born = be_born_last(); !born) return born.error();
    }
    return execute({.path = *command,
                    .argv = plan_.process.argv,
                    .environment = plan_.process.environment,
                    .init_program = has_init_ ? status_ + 2 : -1,
                    .status = status_});
  }

  // Gives the file to execute.
  Result<std::string> set_up() {
    TRY(enter_cgroups_and_cpus(plan_, request_));
    TRY(take_streams());
    // What is not needed any more goes before the container's /proc is the only one.
    const int highest = highest_needed();
    TRY(sys::close_descriptors(highest + 1));
    TRY_CONTEXT(sys::join_namespaces(request_.joined), "enter the container");
    for (const sys::JoinedNamespace& space : request_.joined) {
      if (last_born_.wanted() && space.type == CLONE_NEWPID)
        TRY_CONTEXT(last_born_.go_ahead(space.fd.get()), "enter the container");
    }
    if (sys::is_among(request_.joined, CLONE_NEWUSER)) TRY(become_root(plan_.process.keep_groups));
    // A change of credentials may have set it again (fs.suid_dumpable, proc(5)).
    ::prctl(PR_SET_DUMPABLE, 0);
    const int channel_number = status_ + 1;
    const int init_number = channel_number + 1;
    const std::array<Placement, 3> places{
        {{&own_status_, status_}, {&own_channel_, channel_number}, {&own_init_, init_number}}};
    TRY(place_descriptors(places, init_number + 1, highest));
    placed_ = true;
    sys::Channel channel{sys::UniqueFd(channel_number)};
    sys::set_process_name("berth-exec");
    TRY(await(channel, Step::enter));
    const ProcessPlan& process = plan_.process;
    TRY(take_own_keyring(process));
    if (!last_born_.wanted()) TRY(start_session());
    if (process.terminal) TRY_CONTEXT(make_terminal(channel), "set up the terminal");
    TRY(set_limits(process));
    TRY(set_attributes(process));
    TRY(enter_directory_and_become(process, [&](int listener) { return hand_over(channel, listener); }));
    std::string command = TRY(find_command(process));
    fault::point("exec-ready");
    TRY(check_caller(channel));
    return command;
  }

  [[nodiscard]] int highest_needed() const {
    int highest = std::max({own_channel_.get(), own_status_.get(), own_init_.get(), status_ + 2});
    for (const sys::JoinedNamespace& space : request_.joined) highest = std::max(highest, space.fd.get());
    return highest;
  }

  // Before anything else is closed or put in their places.
  [[nodiscard]] Result<> take_streams() const {
    if (request_.streams == nullptr) return {};
    const Streams& streams = *request_.streams;
    const std::array<const sys::UniqueFd*, 3> taken{&streams.input, &streams.output, &streams.error};
    for (int number = 0; const sys::UniqueFd* stream : taken) {
      if (stream->valid() && ::dup2(stream->get(), number) < 0)
        return fail_errno(errno, "give the process its streams");
      ++number;
    }
    return {};
  }

  [[nodiscard]] Result<> start_session() const {
    if (::setsid() < 0) return fail_errno(errno, "start a session");
    if (plan_.keeps_orphans && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
      return fail_errno(errno, "keep what the process's children leave behind");
    return {};
  }

  static Result<> await(sys::Channel& channel, Step step) {
    const sys::Message message = TRY(channel.receive());
    if (message.data.empty()) return fail("who asked for the process is gone");
    if (TRY(wire::decode<StepMessage>(message.data)).step != step)
      return fail("who asked for the process said something out of turn");
    return {};
  }

  // The command is not executed before the agent has the listener, or it would run where there is no agent.
  static Result<> hand_over(sys::Channel& channel, int listener) {
    TRY(channel.send(wire::encode(StepMessage{.step = Step::listener}), {listener}));
    return await(channel, Step::listener);
  }

  Result<> make_terminal(sys::Channel& channel) const {
    const TerminalPair pair = TRY(open_terminal(plan_.process));
    TRY(give_terminal(pair.peer.get(), plan_.process.uid));
    if (!last_born_.wanted()) TRY(control_terminal());
    return channel.send(wire::encode(StepMessage{Step::ready}), {pair.master.get()});
  }

  // What only the process itself can do.
  Result<> be_born_last() const {
    TRY(last_born_.be_born());
    TRY(start_session());
    return plan_.process.terminal ? control_terminal() : Result<>();
  }

  // Nothing is executed for a caller who can't be told of it any more.
  static Result<> check_caller(const sys::Channel& channel) {
    if (channel.peer_is_gone()) return fail("who asked for the process is gone");
    return {};
  }

  const ExecPlan& plan_;
  ExecRequest& request_;
  const LastBorn& last_born_;
  sys::UniqueFd own_channel_;
  sys::UniqueFd own_status_;
  sys::UniqueFd own_init_;
  const bool has_init_ = own_init_.valid();
  bool placed_ = false;  // the descriptors are at their numbers
  int status_;           // where the status pipe is put; the channel and berth-init follow
};

// What the status pipe brings until the command has been executed. The container might get hold of the pipe's
// other end, so it is over with the process too.
Result<std::string> read_failure(int status, int pidfd) {
  std::string said;
  if (::fcntl(status, F_SETFL, O_NONBLOCK) != 0) return fail_errno(errno, "watch the process");
  while (true) {
    std::array<pollfd, 2> watched{{{pidfd, POLLIN, 0}, {status, POLLIN, 0}}};
    if (sys::poll_process(watched, -1) < 0 && errno != EINTR) return fail_errno(errno, "watch the process");
    std::array<char, 4096> bytes{};
    const ssize_t length = ::read(status, bytes.data(), bytes.size());
    if (length > 0) said.append(bytes.data(), static_cast<size_t>(length));
    if (said.size() > kLongestFailure) return fail("the process said more than a reason for its failure");
    const bool waits = length < 0 && (errno == EAGAIN || errno == EINTR);
    if (length == 0 || (waits && watched[0].revents != 0)) return said;
    if (length < 0 && !waits) return fail_errno(errno, "watch the process");
  }
}

class Starting {
 public:
  explicit Starting(const ExecPlan& plan) : plan_(plan) {}

  Result<RunningContainer> run(ExecRequest& request) {
    TRY(fork(request));
    fault::point("exec-forked");
    Result<> outcome = guide(request);
    if (outcome && last_born_.wanted()) outcome = last_born_.follow(child_);
    const Result<std::string> said = outcome || child_failed()
                                         ? read_failure(status_.get(), child_.pidfd.get())
                                         : Result<std::string>(std::string());
    if (said && !said->empty()) {
      outcome = std::unexpected(failure_from(plan_.process.argv.front(), *said));
    } else if (!said) {
      outcome = std::unexpected(said.error());
    }
    if (outcome) return RunningContainer{child_.pid, std::move(child_.pidfd), std::move(terminal_)};
    end_process();
    return std::unexpected(outcome.error());
  }

 private:
  Result<> fork(ExecRequest& request) {
    auto [ours, theirs] = TRY(sys::Channel::make_pair());
    auto [status, status_inside] = TRY(sys::make_pipe());
    status_ = std::move(status);
    if (plan_.last_born) last_born_ = TRY(LastBorn::prepare());
    child_ = TRY_CONTEXT(fork_untraceable(request), "enter the container");
    if (child_.pid == 0)
      Entering(plan_, request, last_born_, sys::UniqueFd(theirs.release()), std::move(status_inside)).run();
    channel_ = std::move(ours);
    return {};
  }

  // The child takes it over from this process, so there is no moment at which it could be traced.
  [[nodiscard]] Result<sys::Child> fork_untraceable(const ExecRequest& request) const {
    const int dumpable = ::prctl(PR_GET_DUMPABLE);
    ::prctl(PR_SET_DUMPABLE, 0);
    Result<sys::Child> child = last_born_.wanted() ? sys::fork_into(0, request.cgroup)
                                                   : sys::fork_into_pid_space(request.joined, request.cgroup);
    if (dumpable == 1 && (!child || child->pid != 0)) ::prctl(PR_SET_DUMPABLE, 1);
    return child;
  }

  Result<> guide(const ExecRequest& request) {
    if (request.adjust) TRY(request.adjust(child_.pid));
    TRY(channel_.send(wire::encode(StepMessage{.step = Step::enter})));
    sys::let_own_mount_go();
    if (plan_.process.terminal) terminal_ = TRY(receive(Step::ready, "a terminal"));
    if (!notifies(plan_.process)) return {};
    const sys::UniqueFd listener = TRY(receive(Step::listener, "its seccomp filter"));
    if (!request.take_listener) return fail("there is nobody to tell of its system calls");
    TRY(request.take_listener(child_.pid, listener));
    return channel_.send(wire::encode(StepMessage{.step = Step::listener}));
  }

  Result<sys::UniqueFd> receive(Step step, const char* what) {
    sys::Message message = TRY(channel_.receive(1));
    if (message.fds.size() != 1) return fail("the process ended before it had {}", what);
    if (TRY(wire::decode<StepMessage>(message.data)).step != step)
      return fail("the process said something out of turn");
    return std::move(message.fds.front());
  }

  // It says why itself, and what was seen from here is only the consequence. The channel may end before it
  // has said so.
  [[nodiscard]] bool child_failed() const {
    constexpr int kUntilSaidMs = 1'000;
    pollfd readable{status_.get(), POLLIN, 0};
    return ::poll(&readable, 1, channel_.peer_is_gone() ? kUntilSaidMs : 0) > 0;
  }

  void end_process() {
    [[maybe_unused]] const Result<> killed = sys::send_signal(child_.pidfd.get(), SIGKILL);
    [[maybe_unused]] const Result<siginfo_t> reaped = sys::wait_for(child_.pidfd.get());
  }

  const ExecPlan& plan_;
  sys::Child child_;
  sys::Channel channel_;
  sys::UniqueFd status_;
  sys::UniqueFd terminal_;
  LastBorn last_born_;
};

}  // namespace

Result<RunningContainer> start_process(const ExecPlan& plan, ExecRequest request) {
  if (plan.process.argv.empty()) return fail("there is no command");
  return Starting(plan).run(request);
}

}  // namespace berth::runtime
