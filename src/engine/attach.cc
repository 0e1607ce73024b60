#include "engine/attach.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/detach_keys.h"
#include "base/log.h"
#include "engine/attach_over_restarts.h"
#include "engine/container/container_spec.h"
#include "engine/container/out_of_memory.h"
#include "engine/remove.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/raw_terminal.h"

namespace berth::engine {

namespace {

constexpr size_t kChunk = 32 * 1024;

class Client {
 public:
  Client(Session& session, const CallerSignals& signals, const AttachOptions& options)
      : session_(session), signals_(signals), options_(options), keys_(keys_of(options)) {}

  Result<Attachment> run() {
    std::optional<sys::RawTerminal> raw;
    if (options_.terminal && options_.interactive) raw.emplace();
    ::signal(SIGPIPE, SIG_IGN);
    bool reading = options_.interactive;
    while (true) {
      std::array<pollfd, 4> wait{{{session_.channel.fd(), POLLIN, 0},
                                  {reading && window_ > 0 ? STDIN_FILENO : -1, POLLIN, 0},
                                  {signals_.fd(), POLLIN, 0},
                                  {options_.log == nullptr ? -1 : options_.log->watch().fd(), POLLIN, 0}}};
      if (::poll(wait.data(), wait.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return fail_errno(errno, "wait for the container");
      }
      if (wait[3].revents != 0) {
        options_.log->watch().take();
        if (!TRY(show_log(*options_.log))) return Attachment{.left = Left::unread};
      }
      if (wait[2].revents != 0) forward_signals();
      if (interrupt_ != 0) return Attachment{.left = Left::interrupted, .signal = interrupt_};
      if (wait[1].revents != 0) reading = carry_input();
      if (keys_.pressed()) {
        tell(monitor::pack(monitor::Kind::detach, {}));
        return Attachment{.left = Left::detached};
      }
      if (wait[0].revents != 0) {
        const std::optional<Attachment> over = TRY(hear());
        if (over) return *over;
      }
    }
  }

 private:
  static DetachKeys keys_of(const AttachOptions& options) {
    return DetachKeys(options.terminal && options.interactive ? options.detach_keys : std::string());
  }

  static bool asks_to_stop(int signal) {
    return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
  }

  // A container that is going takes no more messages, and says so itself.
  void tell(std::string_view message) {
    [[maybe_unused]] const Result<> sent = session_.channel.send(message);
  }

  void forward_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.fd(), &info, sizeof info) == sizeof info) {
      const auto signal = static_cast<int32_t>(info.ssi_signo);
      if (signal == SIGWINCH) {
        if (options_.terminal) tell(monitor::pack_value(monitor::Kind::resize, terminal_size()));
      } else if (options_.forward_signals) {
        if (options_.on_signal) options_.on_signal(signal);
        tell(monitor::pack_value(monitor::Kind::signal, monitor::SignalRequest{signal}));
      } else if (options_.leave_on_signal && asks_to_stop(signal)) {
        interrupt_ = signal;
      }
    }
  }

  // False when there will be no more.
  bool carry_input() {
    std::array<char, kChunk> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
    const ssize_t n = ::read(STDIN_FILENO, bytes.data(), std::min(bytes.size(), window_));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (n > 0) {
      const std::string input = keys_.filter({bytes.data(), static_cast<size_t>(n)});
      window_ -= std::min(window_, input.size());
      if (!input.empty()) tell(monitor::pack(monitor::Kind::input, input));
      return true;
    }
    tell(monitor::pack(monitor::Kind::input_end, {}));
    return false;
  }

  // A reader that has gone away ends the container's process as it would end any other: by SIGPIPE.
  void show(int fd, bool& broken, std::string_view bytes) {
    if (broken || !options_.show_output) return;
    if (sys::write_all(fd, bytes)) return;
    broken = true;
    tell(monitor::pack_value(monitor::Kind::signal, monitor::SignalRequest{SIGPIPE}));
  }

  Result<std::optional<Attachment>> hear() {
    const sys::Message message = TRY(session_.channel.receive());
    if (message.data.empty()) return Attachment{.left = Left::lost};
    const std::string_view payload = std::string_view(message.data).substr(1);
    switch (TRY(monitor::kind_of(message.data))) {
      case monitor::Kind::output:
        show(STDOUT_FILENO, output_broken_, payload);
        return std::nullopt;
      case monitor::Kind::error_output:
        show(STDERR_FILENO, error_broken_, payload);
        return std::nullopt;
      case monitor::Kind::input_taken:
        window_ += TRY(wire::decode<monitor::InputTaken>(payload)).bytes;
        return std::nullopt;
      case monitor::Kind::exited:
        return Attachment{.left = Left::ended,
                          .exited = TRY(wire::decode<monitor::Exited>(payload)),
                          .unread = output_broken_ || error_broken_};
      case monitor::Kind::failed: {
        const auto failure = TRY(wire::decode<runtime::Failure>(payload));
        return std::unexpected(runtime::to_error(failure));
      }
      default:
        return fail("berth-monitor said something out of turn");
    }
  }

  Session& session_;
  const CallerSignals& signals_;
  const AttachOptions& options_;
  DetachKeys keys_;
  size_t window_ = monitor::kInputWindow;  // bytes of input that may still be sent
  int interrupt_ = 0;
  bool output_broken_ = false;
  bool error_broken_ = false;
};

}  // namespace

monitor::TerminalSize terminal_size() {
  for (const int fd : {STDOUT_FILENO, STDIN_FILENO}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0) return {size.ws_row, size.ws_col};
  }
  return {};
}

Result<bool> show_log(LogReader& log) {
  while (const auto entry = TRY(log.next())) {
    const int fd = entry->stream == monitor::Stream::error ? STDERR_FILENO : STDOUT_FILENO;
    if (!sys::write_all(fd, fmt::format("{}{}", entry->text, entry->partial ? "" : "\n"))) return false;
  }
  return true;
}

Result<Attachment> attach(Session& session, const CallerSignals& signals, const AttachOptions& options) {
  return Client(session, signals, options).run();
}

bool ends_soon(int monitor) {
  constexpr int kPatienceMs = 1000;
  pollfd ended{monitor, POLLIN, 0};
  return sys::poll_process({&ended, 1}, kPatienceMs) > 0;
}

Result<int> attach_to_end(store::Store& store, const store::ContainerRecord& record, Session& session,
                          const CallerSignals& signals, const AttachOptions& options) {
  const ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  if (spec.restart.any()) return attach_over_restarts(store, record, session, signals, options);
  const Attachment attachment = TRY(attach(session, signals, options));
  if (attachment.left == Left::detached) return 0;
  if (attachment.left == Left::ended) {
    TRY(finish_container(store, record, session.monitor.get(), attachment.exited));
    if (attachment.exited.oom_killed) log::warn("{}", out_of_memory_text(record, attachment.exited.status));
    return attachment.exited.status;
  }
  if (!ends_soon(session.monitor.get())) return left_behind(record);
  return monitor_lost();
}

std::unexpected<Error> monitor_lost() {
  Error error{Code::failed, 0, "berth-monitor was lost, and the container was killed with it", {}};
  return std::unexpected(
      std::move(error).with_hint("Somebody or something has ended the process berth-monitor."));
}

std::unexpected<Error> left_behind(const store::ContainerRecord& record) {
  Error error{
      Code::failed,
      0,
      fmt::format("container {} goes on without this command, which has not read its output", record.name),
      {}};
  error.hint = fmt::format("`berth logs {}` has all of it.", record.name);
  return std::unexpected(std::move(error));
}

}  // namespace berth::engine
