// A pair of connected sockets that keep message boundaries and can carry descriptors (unix(7),
// SOCK_SEQPACKET).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// The longest message; longer ones are not sent, and a received one that was cut is an error.
inline constexpr size_t kMaxMessage = 128 * 1024;

struct Message {
  std::string data;           // empty: the other end is gone
  std::vector<UniqueFd> fds;  // close-on-exec
};

class Channel {
 public:
  Channel() = default;
  explicit Channel(UniqueFd fd) : fd_(std::move(fd)) {}
  static Result<std::pair<Channel, Channel>> make_pair();

  // Sends one message whole, waiting for room. EPIPE when the other end is gone (no signal is raised).
  Result<> send(std::string_view data, std::vector<int> fds = {});
  // Waits for a message. At most `max_fds` descriptors are accepted; more are an error.
  Result<Message> receive(size_t max_fds = 0);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Whether receive() would not wait: a message is there, or the end.
  [[nodiscard]] bool has_message() const;
  // Whether the other end has been closed, or its process is gone. Does not wait.
  [[nodiscard]] bool peer_is_gone() const;
  [[nodiscard]] bool open() const { return fd_.valid(); }
  void close() { fd_.reset(); }
  [[nodiscard]] int release() { return fd_.release(); }

 private:
  UniqueFd fd_;
};

}  // namespace berth::sys
