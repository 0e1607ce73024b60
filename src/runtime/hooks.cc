#include "runtime/hooks.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/credentials.h"
#include "runtime/execution.h"
#include "runtime/protocol.h"
#include "sys/file.h"
#include "sys/pipe.h"
#include "sys/process.h"
#include "sys/sealed_program.h"

namespace berth::runtime {

namespace {

// A hook whose maker was killed must not change what is being removed. Set after the change of credentials,
// which clears it. In another PID namespace the maker is 0, and the end of the container's process is its
// end.
Result<> end_with(pid_t maker) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t parent = ::getppid();
  if (parent != 0 && parent != maker) return fail("who called the hook is gone");
  return {};
}

Result<> enter_place(const HookPlace& place, int input, pid_t maker) {
  if (sys::is_among(place.joined, CLONE_NEWUSER)) TRY(become_root(false));
  TRY(end_with(maker));
  if (place.mounts >= 0 && ::setns(place.mounts, CLONE_NEWNS) != 0)
    return fail_errno(errno, "enter the mount namespace");
  if (place.filtered != nullptr) TRY(filter_calls(*place.filtered));
  if (::dup2(input, 0) < 0) return fail_errno(errno, "hand the state over");
  return {};
}

// Gives why it could not be executed.
Error execute_hook(const HookPlan& hook, const HookPlace& place, int input, pid_t maker) {
  if (const Result<> entered = enter_place(place, input, maker); !entered) return entered.error();
  const Error error = execute({.path = hook.path, .argv = hook.argv, .environment = hook.environment});
  return exec_error(hook.path, error.err, true);
}

[[noreturn]] void become_hook(const HookPlan& hook, const HookPlace& place, int input, int status,
                              pid_t maker) {
  const std::string failure = wire::encode(to_failure(execute_hook(hook, place, input, maker)));
  [[maybe_unused]] const Result<> told = sys::write_all(status, failure);
  ::_exit(1);
}

Result<> await_end(const sys::Child& child, uint32_t timeout) {
  constexpr int kMilliseconds = 1000;
  pollfd ended{child.pidfd.get(), POLLIN, 0};
  constexpr uint32_t kLongest = std::numeric_limits<int>::max() / kMilliseconds;
  const int milliseconds = timeout == 0 ? -1 : static_cast<int>(std::min(timeout, kLongest)) * kMilliseconds;
  int ready = 0;
  do {
    ready = sys::poll_process({&ended, 1}, milliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) TRY(sys::send_signal(child.pidfd.get(), SIGKILL));
  const int status = sys::shell_status(TRY(sys::wait_for(child.pidfd.get())));
  if (ready == 0) return fail("it did not end within {} s", timeout);
  if (status != 0) return fail("it ended with status {}", status);
  return {};
}

Result<> run_hook(const HookPlan& hook, const HookPlace& place, int input) {
  auto [reports, status] = TRY(sys::make_pipe());
  if (::lseek(input, 0, SEEK_SET) != 0) return fail_errno(errno, "read the state");
  const pid_t maker = ::getpid();
  const sys::Child child = TRY(sys::fork_into_joined(0, place.joined));
  if (child.pid == 0) become_hook(hook, place, input, status.get(), maker);
  status.reset();
  const std::string said = TRY(sys::read_all(reports.get(), kLongestFailure));
  const Result<> ended = await_end(child, hook.timeout);
  if (!said.empty()) return std::unexpected(failure_from(hook.path, said));
  return ended;
}

}  // namespace

Result<> run_hooks(const char* kind, const std::vector<HookPlan>& hooks, const std::string& state,
                   const HookPlace& place) {
  if (hooks.empty()) return {};
  const sys::UniqueFd input = TRY(sys::make_memory_file("state", state));
  for (const HookPlan& hook : hooks)
    TRY_CONTEXT(run_hook(hook, place, input.get()), "the {} hook {}", kind, hook.path);
  return {};
}

void run_late_hooks(const char* kind, const std::vector<HookPlan>& hooks, const std::string& state) {
  for (const HookPlan& hook : hooks) {
    const Result<> run = run_hooks(kind, {hook}, state, {});
    if (!run) log::warn("{}", run.error().message);
  }
}

}  // namespace berth::runtime
