#include "engine/run_health_check.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/process_tree.h"
#include "sys/file.h"
#include "sys/pipe.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

using Clock = std::chrono::steady_clock;

// The beginning of what a check writes; the rest is read and forgotten, so that it can go on.
class Output {
 public:
  explicit Output(sys::UniqueFd from) : from_(std::move(from)) { ::fcntl(from_.get(), F_SETFL, O_NONBLOCK); }
  [[nodiscard]] int fd() const { return from_.get(); }  // -1 at its end
  // False if there is nothing now, or nothing more.
  bool read_some() {
    std::array<char, 4096> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
    const ssize_t length = ::read(from_.get(), bytes.data(), bytes.size());
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) from_.reset();
    if (length <= 0) return false;
    const size_t room = kLongestHealthOutput - text_.size();
    text_.append(bytes.data(), std::min(room, static_cast<size_t>(length)));
    return true;
  }
  // What is there by now. Somebody may go on writing for ever.
  std::string take() {
    constexpr int kMost = 64;
    for (int i = 0; i < kMost && from_ && read_some(); ++i) continue;
    return std::move(text_);
  }

 private:
  sys::UniqueFd from_;
  std::string text_;
};

int left_until(Clock::time_point deadline) {
  constexpr std::chrono::milliseconds kMost{60'000};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), kMost).count());
}

// False: the time was over first.
Result<bool> wait_until(Clock::time_point deadline, const runtime::RunningContainer& process,
                        Output& output) {
  while (true) {
    std::array<pollfd, 2> watched{{{process.pidfd.get(), POLLIN, 0}, {output.fd(), POLLIN, 0}}};
    if (sys::poll_process(watched, left_until(deadline)) < 0 && errno != EINTR)
      return fail_errno(errno, "wait for the health check");
    if (watched[1].revents != 0) output.read_some();
    if (watched[0].revents != 0) return true;
    if (Clock::now() >= deadline) return false;
  }
}

// Whether the check died with its container: the kernel kills its processes before the end of PID 1 shows.
bool ended_with_container(const siginfo_t& ended, const PreparedExec& prepared) {
  constexpr int kPatienceMs = 500;
  const bool killed = ended.si_code == CLD_KILLED && ended.si_status == SIGKILL;
  pollfd first{prepared.first.pidfd.get(), POLLIN, 0};
  return sys::poll_process({&first, 1}, killed ? kPatienceMs : 0) > 0;
}

Result<std::optional<HealthResult>> execute(const PreparedExec& prepared, const HealthCheck& check) {
  auto [reading, writing] = TRY(sys::make_pipe());
  runtime::Streams streams;
  streams.input = TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDWR | O_NOCTTY));
  streams.error = sys::UniqueFd(::fcntl(writing.get(), F_DUPFD_CLOEXEC, 0));
  streams.output = std::move(writing);
  const auto deadline = Clock::now() + check.timeout;
  Result<runtime::RunningContainer> process = start_exec(prepared, streams);
  if (!process && runtime::has_ended(prepared.first.pidfd)) return std::nullopt;
  if (!process) return failed_check(process.error());
  streams = {};
  Output output(std::move(reading));
  const Result<bool> in_time = wait_until(deadline, *process, output);
  if (!in_time || !*in_time) TRY(runtime::kill_tree(*process));
  const siginfo_t ended = TRY(sys::wait_for(process->pidfd.get()));
  if (!in_time) return std::unexpected(in_time.error());
  HealthResult result;
  result.output = output.take();
  if (!*in_time) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(check.timeout).count();
    result.exit_code = -1;
    result.output = fmt::format("Health check exceeded timeout ({} ms): {}", milliseconds, result.output);
    result.output.resize(std::min(result.output.size(), kLongestHealthOutput));
    return result;
  }
  if (ended_with_container(ended, prepared)) return std::nullopt;
  result.exit_code = sys::shell_status(ended);
  return result;
}

}  // namespace

ExecWish wish_of(const HealthCheck& check) {
  ExecWish wish;
  wish.command = check.command;
  wish.keeps_orphans = true;
  return wish;
}

HealthResult failed_check(const Error& error) {
  const int64_t now = now_nanoseconds();
  return {.begun_at = now, .ended_at = now, .exit_code = exit_status(error.code), .output = error.message};
}

Result<std::optional<HealthResult>> run_check(const PreparedExec& prepared, const HealthCheck& check) {
  const int64_t begun_at = now_nanoseconds();
  std::optional<HealthResult> result = TRY(execute(prepared, check));
  if (!result) return std::nullopt;
  result->begun_at = begun_at;
  result->ended_at = now_nanoseconds();
  return result;
}

}  // namespace berth::engine
