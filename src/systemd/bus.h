// A connection to systemd's manager: directly to its own socket, or over the system's bus.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"
#include "systemd/message.h"

namespace berth::systemd {

// A unix socket, connected. An error bears connect(2)'s errno.
Result<sys::UniqueFd> connect_to(const std::string& socket);

class Bus {
 public:
  using Clock = std::chrono::steady_clock;

  // Connects to a unix socket and authenticates as this process's user (D-Bus Specification, "EXTERNAL"). An
  // error bears connect(2)'s errno.
  static Result<Bus> connect(const std::string& socket, Clock::time_point until);

  // Sends a call and waits for its answer. A reply that is an error is Code::failed, and refused_as() of
  // the bus has its name until the next call. Signals that come meanwhile wait for next_signal().
  Result<Message> call(const Call& call, Clock::time_point until);
  [[nodiscard]] const std::string& refused_as() const { return refused_as_; }

  // The next signal of this name; those before it are dropped.
  Result<Message> next_signal(std::string_view member, Clock::time_point until);

 private:
  explicit Bus(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  Result<> authenticate(Clock::time_point until);
  Result<> send(std::string_view bytes, Clock::time_point until);
  Result<> receive_some(Clock::time_point until);
  Result<std::string> read_line(Clock::time_point until);
  Result<Message> read_message(Clock::time_point until);

  sys::UniqueFd fd_;
  std::string received_;
  std::deque<Message> signals_;
  std::string refused_as_;
  uint32_t serial_ = 0;
};

}  // namespace berth::systemd
