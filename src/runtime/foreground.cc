#include "runtime/foreground.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/pump.h"
#include "sys/process.h"
#include "sys/raw_terminal.h"

namespace berth::runtime {

namespace {

void copy_size(int terminal) {
  winsize size{};
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) continue;
    ::ioctl(terminal, TIOCSWINSZ, &size);
    return;
  }
}

// Those that are about this process itself.
bool own_signal(int number) {
  return number == SIGCHLD || number == SIGWINCH || number == SIGPIPE || number == SIGTTOU ||
         number == SIGTTIN;
}

bool asks_to_end(int number) {
  return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

class Waiting {
 public:
  Waiting(RunningContainer& process, ForegroundOptions options)
      : process_(process), options_(std::move(options)) {}

  Result<ForegroundEnd> run() {
    sigset_t all;
    sigfillset(&all);
    ::signal(SIGPIPE, SIG_IGN);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
    signals_ = sys::UniqueFd(::signalfd(-1, &all, SFD_CLOEXEC));
    if (!signals_) return fail_errno(errno, "watch for signals");
    if (process_.terminal) {
      if (options_.input) raw_.emplace();
      copy_size(process_.terminal.get());
    }
    connect();
    Result<ForegroundEnd> end = wait();
    raw_.reset();
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    return end;
  }

 private:
  void connect() {
    const StreamRelays& relays = options_.relays;
    if (process_.terminal) {
      output_ = Pump(process_.terminal.get(), STDOUT_FILENO);
      if (options_.input) input_ = Pump(STDIN_FILENO, process_.terminal.get(), options_.detach_keys);
    }
    if (relays.output) output_ = Pump(relays.output.get(), STDOUT_FILENO);
    if (relays.error) error_ = Pump(relays.error.get(), STDERR_FILENO);
    if (relays.input) input_ = Pump(STDIN_FILENO, relays.input.get());
  }

  Result<ForegroundEnd> wait() {
    while (true) {
      std::array<pollfd, 5> watched{{{process_.pidfd.get(), POLLIN, 0},
                                     {signals_.get(), POLLIN, 0},
                                     output_.awaited(),
                                     error_.awaited(),
                                     input_.awaited()}};
      if (sys::poll_process(watched, -1) < 0 && errno != EINTR)
        return fail_errno(errno, "wait for the process");
      if (watched[1].revents != 0) TRY(pass_signal());
      if (watched[2].revents != 0) carry_output();
      if (watched[3].revents != 0) error_.carry();
      if (watched[4].revents != 0) carry_input();
      if (input_.was_ended() && input_.over()) return ForegroundEnd{.detached = true};
      if (watched[0].revents != 0) break;
    }
    carry_the_rest();
    return ForegroundEnd{.status = sys::shell_status(TRY(sys::wait_for(process_.pidfd.get())))};
  }

  void carry_output() {
    output_.carry();
    // The others who write to a pipe get the signal from the kernel.
    if (!output_.broken()) return;
    options_.relays.output.reset();
    if (!process_.terminal) return;
    [[maybe_unused]] const Result<> told = sys::send_signal(process_.pidfd.get(), SIGPIPE);
  }

  void carry_input() {
    input_.carry();
    // So the process reads the end of it.
    if (input_.over()) options_.relays.input.reset();
  }

  // What the process wrote last may still be on its way. Others may have its streams and go on writing; those
  // are not waited for, nor is a reader for ever that somebody wants to get away from.
  void carry_the_rest() {
    while (output_.has_more() || error_.has_more()) {
      std::array<pollfd, 3> watched{{{signals_.get(), POLLIN, 0}, output_.awaited(), error_.awaited()}};
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
      if (watched[0].revents != 0 && asks_to_end(take_signal())) return;
      if (watched[1].revents != 0) output_.carry();
      if (watched[2].revents != 0) error_.carry();
    }
  }

  [[nodiscard]] int take_signal() const {
    signalfd_siginfo signal{};
    if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) return 0;
    return static_cast<int>(signal.ssi_signo);
  }

  Result<> pass_signal() {
    const int number = take_signal();
    if (number == SIGWINCH && process_.terminal) copy_size(process_.terminal.get());
    if (number == 0 || own_signal(number)) return {};
    return sys::send_signal(process_.pidfd.get(), number);
  }

  RunningContainer& process_;
  ForegroundOptions options_;
  sigset_t before_{};
  sys::UniqueFd signals_;
  std::optional<sys::RawTerminal> raw_;
  Pump input_;
  Pump output_;
  Pump error_;
};

}  // namespace

void hold_signals() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

Result<ForegroundEnd> wait_in_foreground(RunningContainer& process, ForegroundOptions options) {
  return Waiting(process, std::move(options)).run();
}

}  // namespace berth::runtime
