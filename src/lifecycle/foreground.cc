#include "lifecycle/foreground.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/process.h"
#include "sys/raw_terminal.h"

namespace berth::lifecycle {

namespace {

void copy_size(int terminal) {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(terminal, TIOCSWINSZ, &size);
}

// False: nothing more comes.
bool carry(int from, int to) {
  std::array<char, 8192> bytes{};
  const ssize_t length = ::read(from, bytes.data(), bytes.size());
  if (length < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (length <= 0) return false;
  return sys::write_all(to, {bytes.data(), static_cast<size_t>(length)}).has_value();
}

class Waiting {
 public:
  explicit Waiting(runtime::RunningContainer& container) : container_(container) {}

  Result<int> run() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
    signals_ = sys::UniqueFd(::signalfd(-1, &all, SFD_CLOEXEC));
    if (!signals_) return fail_errno(errno, "watch for signals");
    if (container_.terminal) {
      raw_.emplace();
      copy_size(container_.terminal.get());
    }
    Result<int> status = wait();
    raw_.reset();
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    return status;
  }

 private:
  Result<int> wait() {
    const bool terminal = container_.terminal.valid();
    bool input = terminal;
    bool output = terminal;
    while (true) {
      std::array<pollfd, 4> watched{{{container_.pidfd.get(), POLLIN, 0},
                                     {signals_.get(), POLLIN, 0},
                                     {output ? container_.terminal.get() : -1, POLLIN, 0},
                                     {input ? STDIN_FILENO : -1, POLLIN, 0}}};
      if (sys::poll_process(watched, -1) < 0 && errno != EINTR)
        return fail_errno(errno, "wait for the container");
      if (watched[1].revents != 0) TRY(pass_signal());
      if (output && watched[2].revents != 0) output = carry(container_.terminal.get(), STDOUT_FILENO);
      if (input && watched[3].revents != 0) input = carry(STDIN_FILENO, container_.terminal.get());
      if (watched[0].revents != 0) break;
    }
    // What it wrote last may still be in the terminal, which gives EIO when it is empty.
    while (output) output = carry(container_.terminal.get(), STDOUT_FILENO);
    return sys::shell_status(TRY(sys::wait_for(container_.pidfd.get())));
  }

  Result<> pass_signal() {
    signalfd_siginfo signal{};
    if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) return {};
    const int number = static_cast<int>(signal.ssi_signo);
    if (number == SIGWINCH && container_.terminal) copy_size(container_.terminal.get());
    // Those that are about this process itself.
    if (number == SIGCHLD || number == SIGWINCH || number == SIGPIPE || number == SIGTTOU ||
        number == SIGTTIN)
      return {};
    return sys::send_signal(container_.pidfd.get(), number);
  }

  runtime::RunningContainer& container_;
  sigset_t before_{};
  sys::UniqueFd signals_;
  std::optional<sys::RawTerminal> raw_;
};

}  // namespace

void hold_signals() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

Result<int> wait_in_foreground(runtime::RunningContainer& container) {
  return Waiting(container).run();
}

}  // namespace berth::lifecycle
