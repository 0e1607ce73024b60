#include "monitor/relay.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "monitor/control_socket.h"
#include "monitor/poll_round.h"
#include "sys/process.h"

namespace berth::monitor {

namespace {

constexpr size_t kChunk = 32 * 1024;
constexpr size_t kLargeChunk = 256 * 1024;
constexpr int kLargePipe = 1024 * 1024;

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

void pass_on(int signals, int process) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) {
    [[maybe_unused]] const Result<> sent = sys::send_signal(process, static_cast<int>(info.ssi_signo));
  }
}

// Of two times to wait, where -1 is for ever.
int sooner(int a, int b) {
  return a < 0 || (b >= 0 && b < a) ? b : a;
}

}  // namespace

bool Relay::carry_output(sys::UniqueFd& from, bool is_error) {
  if (clients_.look_who_is_full()) return true;
  bool& reads_much = reads_much_[is_error ? 1 : 0];
  const size_t chunk = reads_much && clients_.all().empty() ? kLargeChunk : kChunk;
  if (message_.size() <= chunk) message_.resize(chunk + 1);
  message_[0] = static_cast<char>(is_error ? Kind::error_output : Kind::output);
  const ssize_t n = ::read(from.get(), message_.data() + 1, chunk);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {  // a terminal says EIO when nobody has its other end open any more
    from.reset();
    return false;
  }
  const std::string_view bytes(message_.data() + 1, static_cast<size_t>(n));
  if (bytes.size() == kChunk && !reads_much) {
    // The fewer turns the more comes through; most containers never write so much at once, and need no more
    // memory. A terminal has no such size, and the host may not allow it.
    reads_much = true;
    ::fcntl(from.get(), F_SETPIPE_SZ, kLargePipe);
  }
  log_.append(is_error ? Stream::error : Stream::output, bytes);
  clients_.send_output({message_.data(), bytes.size() + 1});
  return true;
}

void Relay::drain() {
  for (const bool is_error : {false, true}) {
    sys::UniqueFd& from = is_error ? error_ : output_;
    while (from.valid() && carry_output(from, is_error)) clients_.wait_for_room();
  }
}

void Relay::end_input() {
  input_ended_ = true;
  if (terminal_) {
    // A terminal has no end of input, but a character that says so.
    termios settings{};
    if (::tcgetattr(input_.get(), &settings) == 0)
      pending_input_.push_back({0, std::string(1, static_cast<char>(settings.c_cc[VEOF]))});
    return;
  }
  if (pending_input_.empty()) input_.reset();
}

void Relay::write_input() {
  Input& next = pending_input_.front();
  const ssize_t n = ::write(input_.get(), next.bytes.data(), next.bytes.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) {  // nobody will read it
    pending_input_.clear();
    if (!terminal_) input_.reset();
    return;
  }
  next.bytes.erase(0, static_cast<size_t>(n));
  if (Client* client = clients_.find(next.client))
    Clients::send(*client, pack_value(Kind::input_taken, InputTaken{static_cast<uint32_t>(n)}));
  if (next.bytes.empty()) pending_input_.pop_front();
  if (pending_input_.empty() && input_ended_ && !terminal_) input_.reset();
}

void Relay::take(Client& client, Kind kind, std::string_view payload, int process) {
  if (kind == Kind::input && takes_input()) {
    pending_input_.push_back({client.number, std::string(payload)});
  } else if (kind == Kind::input_end && takes_input() && client.starter) {
    end_input();
  } else if (kind == Kind::resize && terminal_) {
    if (const auto size = wire::decode<TerminalSize>(payload)) {
      const winsize cells{size->rows, size->columns, 0, 0};
      ::ioctl(output_.get(), TIOCSWINSZ, &cells);
    }
  } else if (kind == Kind::signal) {
    if (const auto request = wire::decode<SignalRequest>(payload)) {
      [[maybe_unused]] const Result<> sent = sys::send_signal(process, request->signal);
    }
  } else if (kind == Kind::attach) {
    if (const auto request = wire::decode<AttachRequest>(payload)) client.watches = request->output;
  } else if (kind == Kind::detach) {
    client.starter = false;
  }
}

void Relay::leave(uint32_t number) {
  const Client* client = clients_.find(number);
  if (client == nullptr) return;
  // The end of the foreground job's input.
  const bool ends = client->starter && takes_input();
  clients_.remove(number);
  if (ends) end_input();
}

void Relay::read_client(uint32_t number, int process) {
  Client* client = clients_.find(number);
  // Room for output may be all that it was waited for.
  if (client == nullptr || !client->channel.has_message()) return;
  const Result<sys::Message> message = client->channel.receive();
  if (!message || message->data.empty()) return leave(number);
  const Result<Kind> kind = kind_of(message->data);
  if (kind) take(*client, *kind, std::string_view(message->data).substr(1), process);
}

void Relay::welcome() {
  sys::Channel channel = accept_client(listener_.get());
  if (channel.open()) clients_.add(std::move(channel), false);
}

Result<bool> Relay::look(int process, int signals) {
  PollRound round(process);
  const short output = clients_.anybody_full() ? 0 : POLLIN;
  round.add(output_.get(), output, [this] { carry_output(output_, false); });
  round.add(error_.get(), output, [this] { carry_output(error_, true); });
  round.add(input_.get(), pending_input_.empty() ? 0 : POLLOUT, [this] { write_input(); });
  for (const Client& client : clients_.all()) {
    const short room = client.full_since ? POLLOUT : 0;
    round.add(client.channel.fd(), static_cast<short>(POLLIN | room),
              [this, number = client.number, process] { read_client(number, process); });
  }
  round.add(listener_.get(), POLLIN, [this] { welcome(); });
  round.add(signals, POLLIN, [signals, process] { pass_on(signals, process); });
  // That it has ended is seen to below, as that it is time for the next one.
  round.add(health_.under_way(), POLLIN, [] {});
  round.add(memory_.fd(), memory_.events(), [this] { memory_.look(); });
  const int patience = sooner(sooner(clients_.patience_ms(), health_.timeout_ms()), memory_.timeout_ms());
  const bool ended = TRY(round.wait(patience));
  if (!ended) {
    health_.turn();
    memory_.turn();
  }
  if (clients_.anybody_full()) {
    clients_.look_who_is_full();
    clients_.leave_stalled();
  }
  return ended;
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
  while (!TRY(look(container.pidfd.get(), signals.get()))) continue;
  return sys::wait_for(container.pidfd.get());
}

}  // namespace berth::monitor
