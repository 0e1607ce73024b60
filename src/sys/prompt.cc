#include "sys/prompt.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::sys {

namespace {

constexpr size_t kMaxLine = 4096;

// Takes the signals that end or stop a process as events, so that the terminal can be put right first.
class SignalsHeld {
 public:
  static Result<SignalsHeld> hold() {
    SignalsHeld held;
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) ::sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, &held.before_);
    held.active_ = true;
    held.fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC));
    if (!held.fd_) return fail_errno(errno, "watch for signals");
    return held;
  }
  SignalsHeld(SignalsHeld&& other) noexcept
      : fd_(std::move(other.fd_)), before_(other.before_), active_(std::exchange(other.active_, false)) {}
  SignalsHeld& operator=(SignalsHeld&&) = delete;
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() {
    if (active_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  SignalsHeld() = default;
  UniqueFd fd_;
  sigset_t before_{};
  bool active_ = false;
};

struct Line {
  std::string text;
  int signal = 0;  // that came instead
};

Result<Line> read_line(int tty, int signals) {
  Line line;
  while (true) {
    std::array<pollfd, 2> fds{{{tty, POLLIN, 0}, {signals, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno(errno, "wait for the terminal");
    }
    if (fds[1].revents != 0) {
      signalfd_siginfo info{};
      if (::read(signals, &info, sizeof info) == sizeof info) line.signal = static_cast<int>(info.ssi_signo);
      return line;
    }
    char c = 0;
    const ssize_t n = ::read(tty, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read from the terminal");
    if (n == 0 || c == '\n') return line;
    if (line.text.size() >= kMaxLine) return fail(Code::usage, "the line is longer than {} bytes", kMaxLine);
    line.text += c;
  }
}

// One try; tells of a signal that came.
Result<Line> ask_once(int tty, const std::string& question, Echo echo) {
  const SignalsHeld signals = TRY(SignalsHeld::hold());
  termios before{};
  if (::tcgetattr(tty, &before) != 0) return fail_errno(errno, "read the terminal's settings");
  termios wanted = before;
  if (echo == Echo::off) wanted.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  // Before the question is seen, so that no answer to it is shown or lost.
  if (::tcsetattr(tty, TCSADRAIN, &wanted) != 0) return fail_errno(errno, "change the terminal's settings");
  const Result<> asked = write_all(tty, question);
  Result<Line> line = asked ? read_line(tty, signals.fd()) : Result<Line>(std::unexpected(asked.error()));
  ::tcsetattr(tty, TCSADRAIN, &before);
  // The end of the line was not shown either.
  if (echo == Echo::off || (line && line->signal != 0)) TRY(write_all(tty, "\n"));
  return line;
}

}  // namespace

Result<std::string> ask(const std::string& question, Echo echo) {
  const Result<UniqueFd> tty = open_at(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY);
  if (!tty) return fail(Code::usage, "there is no terminal to ask at");
  while (true) {
    Line line = TRY(ask_once(tty->get(), question, echo));
    if (line.signal == 0) return std::move(line.text);
    // The signal does now what it would have done; after a stop the question is asked again.
    ::raise(line.signal);
    if (line.signal != SIGTSTP) return fail("interrupted");
  }
}

}  // namespace berth::sys
