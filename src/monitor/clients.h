// Who is attached to a container: the command that started it in the foreground, and those that came to its
// control socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sys/channel.h"

namespace berth::monitor {

struct Client {
  uint32_t number = 0;  // no other has it
  sys::Channel channel;
  bool starter = false;  // the container is its foreground job: it finishes it
  bool watches = false;  // it is sent the output
  // Since when it has had as much as it can take.
  std::optional<std::chrono::steady_clock::time_point> full_since;
};

// A client that does not read holds the output up, as any reader of a pipe does. The starter may do so for
// ever while it is alone. Any other client, and the starter where somebody else watches too, is left behind
// after kPatience: its channel is closed. What it has missed is in the log.
class Clients {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr size_t kMost = 64;

  // The client's number; nothing if there are too many.
  std::optional<uint32_t> add(sys::Channel channel, bool starter);
  [[nodiscard]] Client* find(uint32_t number);
  void remove(uint32_t number);
  [[nodiscard]] std::vector<Client>& all() { return clients_; }
  [[nodiscard]] const Client* starter() const;
  [[nodiscard]] bool any_watches() const;

  // To one client, or to all that watch. Who can't be reached any more is left to be noticed by its hangup.
  static void send(Client& client, std::string_view message);
  void send_output(std::string_view message);

  // Looks who is full now; whether anybody is.
  bool look_who_is_full();
  [[nodiscard]] bool anybody_full() const;
  // Leaves behind those whose time is over.
  void leave_stalled();
  // Waits until nobody is full: each has read, has gone or was left behind.
  void wait_for_room();
  // Milliseconds until that has to be looked at again; -1: never.
  [[nodiscard]] int patience_ms() const;

 private:
  [[nodiscard]] bool may_be_left(const Client& client) const;
  std::vector<Client> clients_;
  uint32_t last_number_ = 0;
};

}  // namespace berth::monitor
