#include "monitor/clients.h"

#include <algorithm>

#include <poll.h>

namespace berth::monitor {

namespace {
using Clock = std::chrono::steady_clock;

bool is_full(const Client& client) {
  pollfd writable{client.channel.fd(), POLLOUT, 0};
  return ::poll(&writable, 1, 0) == 0;
}
}  // namespace

std::optional<uint32_t> Clients::add(sys::Channel channel, bool starter) {
  if (clients_.size() >= kMost) return std::nullopt;
  clients_.push_back({++last_number_, std::move(channel), starter, starter, std::nullopt});
  return last_number_;
}

Client* Clients::find(uint32_t number) {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [&](const Client& client) { return client.number == number; });
  return found == clients_.end() ? nullptr : &*found;
}

void Clients::remove(uint32_t number) {
  std::erase_if(clients_, [&](const Client& client) { return client.number == number; });
}

const Client* Clients::starter() const {
  const auto found =
      std::find_if(clients_.begin(), clients_.end(), [](const Client& client) { return client.starter; });
  return found == clients_.end() ? nullptr : &*found;
}

bool Clients::any_watches() const {
  return std::any_of(clients_.begin(), clients_.end(), [](const Client& client) { return client.watches; });
}

void Clients::send(Client& client, std::string_view message) {
  // The monitor waits in a write for nobody but the starter.
  if (!client.starter && is_full(client)) return;
  [[maybe_unused]] const Result<> sent = client.channel.send(message);
}

void Clients::send_output(std::string_view message) {
  for (Client& client : clients_) {
    if (client.watches) send(client, message);
  }
}

bool Clients::look_who_is_full() {
  for (Client& client : clients_) {
    if (!client.watches || !is_full(client)) {
      client.full_since.reset();
    } else if (!client.full_since) {
      client.full_since = Clock::now();
    }
  }
  return anybody_full();
}

bool Clients::anybody_full() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return client.full_since.has_value(); });
}

bool Clients::may_be_left(const Client& client) const {
  if (!client.starter) return true;
  return std::any_of(clients_.begin(), clients_.end(),
                     [&](const Client& other) { return other.watches && other.number != client.number; });
}

void Clients::leave_stalled() {
  const auto over = [](const Client& client) {
    return client.full_since && Clock::now() - *client.full_since >= kPatience;
  };
  std::vector<uint32_t> numbers;
  for (const Client& client : clients_) {
    if (over(client) && may_be_left(client)) numbers.push_back(client.number);
  }
  for (const uint32_t number : numbers) remove(number);
}

void Clients::wait_for_room() {
  while (look_who_is_full()) {
    std::vector<pollfd> full;
    for (const Client& client : clients_) {
      if (client.full_since) full.push_back({client.channel.fd(), POLLOUT, 0});
    }
    ::poll(full.data(), full.size(), patience_ms());
    leave_stalled();
  }
}

int Clients::patience_ms() const {
  int least = -1;
  for (const Client& client : clients_) {
    if (!client.full_since || !may_be_left(client)) continue;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*client.full_since + kPatience - Clock::now());
    const int ms = std::max<int>(0, static_cast<int>(left.count()));
    least = least < 0 ? ms : std::min(least, ms);
  }
  return least;
}

}  // namespace berth::monitor
