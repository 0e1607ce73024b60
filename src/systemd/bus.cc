#include "systemd/bus.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace berth::systemd {

namespace {

constexpr size_t kLongestLine = 1024;
constexpr size_t kMostSignals = 1024;  // that wait; more than systemd has jobs at once

// Whether the socket is ready for that, before the time is over.
Result<> await(int fd, short what, Bus::Clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Bus::Clock::now()).count();
    pollfd polled{fd, what, 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "wait for systemd");
    if (ready == 0 && left <= 0) return fail_errno(ETIMEDOUT, "wait for systemd's answer");
  }
}

// Waits until the other end has read all that was sent. systemd takes what it reads behind BEGIN for the
// beginning of a message, and then looks at it only when more has come.
Result<> await_taken(int fd, Bus::Clock::time_point until) {
  constexpr std::chrono::microseconds kLongest{5'000};
  std::chrono::microseconds pause{50};
  while (true) {
    int left = 0;
    if (::ioctl(fd, SIOCOUTQ, &left) != 0) return fail_errno(errno, "ask what systemd has read");
    if (left == 0) return {};
    if (Bus::Clock::now() > until) return fail_errno(ETIMEDOUT, "wait for systemd to listen");
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongest);
  }
}

// "The hex-encoded numeric user ID".
std::string hexadecimal(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

// What the service says about it, in its body's first text.
std::string text_of(const Message& error) {
  if (!error.signature.starts_with('s')) return "";
  Reader reader(error.body);
  Result<std::string> text = reader.string();
  return text ? std::move(*text) : "";
}

}  // namespace

Result<sys::UniqueFd> connect_to(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return fail_errno(ENAMETOOLONG, "connect to {}", socket);
  std::memcpy(address.sun_path, socket.data(), socket.size());
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno(errno, "make a socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno(errno, "connect to {}", socket);
  return fd;
}

Result<Bus> Bus::connect(const std::string& socket, Clock::time_point until) {
  Bus bus(TRY(connect_to(socket)));
  TRY_CONTEXT(bus.authenticate(until), "{}", socket);
  return bus;
}

Result<> Bus::authenticate(Clock::time_point until) {
  using namespace std::string_literals;
  TRY(send("\0AUTH EXTERNAL "s + hexadecimal(std::to_string(::geteuid())) + "\r\n", until));
  const std::string answer = TRY(read_line(until));
  if (!answer.starts_with("OK "))
    return fail_errno(EACCES, "it does not take this user (\"{}\")", printable(answer));
  TRY(send("BEGIN\r\n", until));
  return await_taken(fd_.get(), until);
}

Result<> Bus::send(std::string_view bytes, Clock::time_point until) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(await(fd_.get(), POLLOUT, until));
    } else if (errno != EINTR) {
      return fail_errno(errno, "send a message to systemd");
    }
  }
  return {};
}

Result<> Bus::receive_some(Clock::time_point until) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return fail_errno(ECONNRESET, "systemd has ended the connection");
    if (got > 0) {
      received_.append(buffer.data(), static_cast<size_t>(got));
      return {};
    }
    if (errno == EAGAIN) {
      TRY(await(fd_.get(), POLLIN, until));
    } else if (errno != EINTR) {
      return fail_errno(errno, "receive a message of systemd");
    }
  }
}

Result<std::string> Bus::read_line(Clock::time_point until) {
  size_t end = 0;
  while ((end = received_.find("\r\n")) == std::string::npos) {
    if (received_.size() > kLongestLine) return fail(Code::refused, "it answers with an endless line");
    TRY(receive_some(until));
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  return line;
}

Result<Message> Bus::read_message(Clock::time_point until) {
  while (received_.size() < kPrologueBytes) TRY(receive_some(until));
  const size_t size = TRY(message_size(received_));
  while (received_.size() < size) TRY(receive_some(until));
  Result<Message> message = parse_message(std::string_view(received_).substr(0, size));
  received_.erase(0, size);
  return message;
}

Result<Message> Bus::call(const Call& call, Clock::time_point until) {
  refused_as_.clear();
  const uint32_t serial = ++serial_;
  TRY(send(encode(call, serial), until));
  while (true) {
    Message message = TRY(read_message(until));
    if (message.type == MessageType::signal) {
      if (signals_.size() < kMostSignals) signals_.push_back(std::move(message));
      continue;
    }
    if (message.reply_serial != serial) continue;  // a call that asks something of this client
    if (message.type == MessageType::reply) return message;
    if (message.type != MessageType::error) continue;
    refused_as_ = message.error_name;
    return fail("systemd refuses {}: {}", call.member,
                printable(fmt::format("{} ({})", text_of(message), message.error_name)));
  }
}

Result<Message> Bus::next_signal(std::string_view member, Clock::time_point until) {
  while (true) {
    Message message;
    if (signals_.empty()) {
      message = TRY(read_message(until));
    } else {
      message = std::move(signals_.front());
      signals_.pop_front();
    }
    if (message.type == MessageType::signal && message.member == member) return message;
  }
}

}  // namespace berth::systemd
