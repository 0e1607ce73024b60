#include "monitor/relay.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "monitor/protocol.h"
#include "sys/process.h"

namespace berth::monitor {

namespace {

constexpr size_t kChunk = 32 * 1024;

void set_nonblocking(int fd) {
  if (fd < 0) return;
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// SIGTERM to the monitor is meant for its container, as when a machine shuts down.
Result<sys::UniqueFd> take_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  sys::UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno(errno, "watch for signals");
  return fd;
}

}  // namespace

void Relay::send(std::string_view message) {
  if (client_.open() && !client_.send(message)) client_.close();
}

bool Relay::client_is_full() {
  if (!client_.open()) return false;
  pollfd writable{client_.fd(), POLLOUT, 0};
  return ::poll(&writable, 1, 0) == 0;
}

bool Relay::carry_output(sys::UniqueFd& from, bool is_error) {
  std::array<char, kChunk + 1> message;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
  client_full_ = client_is_full();
  if (client_full_) return true;
  message[0] = static_cast<char>(is_error ? Kind::error_output : Kind::output);
  const ssize_t n = ::read(from.get(), message.data() + 1, kChunk);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {  // a terminal says EIO when nobody has its other end open any more
    from.reset();
    return false;
  }
  const std::string_view bytes(message.data() + 1, static_cast<size_t>(n));
  log_.append(is_error ? "stderr" : "stdout", bytes);
  send({message.data(), bytes.size() + 1});
  return true;
}

// All processes of the container are gone, so what is in the pipes now is all there will be.
void Relay::drain() {
  for (const bool is_error : {false, true}) {
    sys::UniqueFd& from = is_error ? error_ : output_;
    while (from.valid() && carry_output(from, is_error)) {
      pollfd writable{client_.fd(), POLLOUT, 0};
      if (client_full_) ::poll(&writable, 1, -1);
    }
  }
}

void Relay::end_input() {
  if (terminal_) {
    // A terminal has no end of input, but a character that says so.
    termios settings{};
    if (::tcgetattr(input_.get(), &settings) == 0) pending_input_ += static_cast<char>(settings.c_cc[VEOF]);
    input_ended_ = true;
    return;
  }
  input_ended_ = true;
  if (pending_input_.empty()) input_.reset();
}

void Relay::write_input() {
  const ssize_t n = ::write(input_.get(), pending_input_.data(), pending_input_.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) {  // nobody will read it
    pending_input_.clear();
    if (!terminal_) input_.reset();
    return;
  }
  pending_input_.erase(0, static_cast<size_t>(n));
  send(pack_value(Kind::input_taken, InputTaken{static_cast<uint32_t>(n)}));
  if (pending_input_.empty() && input_ended_ && !terminal_) input_.reset();
}

void Relay::read_client(const runtime::RunningContainer& container) {
  const Result<sys::Message> message = client_.receive();
  if (!message || message->data.empty()) {
    client_.close();
    if (!input_ended_ && input_.valid()) end_input();
    return;
  }
  const std::string_view payload = std::string_view(message->data).substr(1);
  const Result<Kind> kind = kind_of(message->data);
  if (!kind) return;
  if (*kind == Kind::input && input_.valid() && !input_ended_) {
    pending_input_ += payload;
  } else if (*kind == Kind::input_end && input_.valid() && !input_ended_) {
    end_input();
  } else if (*kind == Kind::resize && terminal_) {
    if (const auto size = wire::decode<TerminalSize>(payload)) {
      const winsize cells{size->rows, size->columns, 0, 0};
      ::ioctl(input_.get(), TIOCSWINSZ, &cells);
    }
  } else if (*kind == Kind::signal) {
    if (const auto request = wire::decode<SignalRequest>(payload)) {
      [[maybe_unused]] const Result<> sent = sys::send_signal(container.pidfd.get(), request->signal);
    }
  }
}

Result<siginfo_t> Relay::run(runtime::RunningContainer& container, OutsideStreams streams) {
  const sys::UniqueFd signals = TRY(take_signals());
  terminal_ = container.terminal.valid();
  if (terminal_) {
    input_ = sys::UniqueFd(::fcntl(container.terminal.get(), F_DUPFD_CLOEXEC, 0));
    output_ = std::move(container.terminal);
  } else {
    input_ = std::move(streams.input);
    output_ = std::move(streams.output);
    error_ = std::move(streams.error);
  }
  for (const int fd : {input_.get(), output_.get(), error_.get()}) set_nonblocking(fd);
  enum : size_t { kProcess, kClient, kInput, kOutput, kError, kSignals, kCount };
  while (true) {
    std::array<pollfd, kCount> wait{};
    const int for_output = client_full_ ? POLLOUT : 0;
    wait[kClient] = {client_.open() ? client_.fd() : -1, static_cast<short>(POLLIN | for_output), 0};
    wait[kInput] = {pending_input_.empty() ? -1 : input_.get(), POLLOUT, 0};
    wait[kOutput] = {client_full_ ? -1 : output_.get(), POLLIN, 0};
    wait[kError] = {client_full_ ? -1 : error_.get(), POLLIN, 0};
    wait[kProcess] = {container.pidfd.get(), POLLIN, 0};
    wait[kSignals] = {signals.get(), POLLIN, 0};
    if (sys::poll_process(wait, -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno(errno, "wait for the container");
    }
    if (wait[kOutput].revents != 0) carry_output(output_, false);
    if (wait[kError].revents != 0) carry_output(error_, true);
    if (wait[kInput].revents != 0) write_input();
    if ((wait[kClient].revents & ~POLLOUT) != 0) read_client(container);
    if (wait[kClient].revents != 0) client_full_ = false;
    if (signalfd_siginfo info{}; ::read(signals.get(), &info, sizeof info) == sizeof info) {
      [[maybe_unused]] const Result<> sent =
          sys::send_signal(container.pidfd.get(), static_cast<int>(info.ssi_signo));
    }
    if (wait[kProcess].revents != 0) break;
  }
  const siginfo_t ended = TRY(sys::wait_for(container.pidfd.get()));
  drain();
  return ended;
}

}  // namespace berth::monitor
