#include "runtime/pump.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <unistd.h>

namespace berth::runtime {

namespace {

bool for_now(int err) {
  return err == EINTR || err == EAGAIN;
}

}  // namespace

pollfd Pump::awaited() const {
  if (over()) return {-1, 0, 0};
  return pending_.empty() ? pollfd{from_, POLLIN, 0} : pollfd{to_, POLLOUT, 0};
}

void Pump::carry() {
  if (over()) return;
  if (pending_.empty()) {
    read_some();
  } else {
    write_some();
  }
}

bool Pump::has_more() const {
  if (over()) return false;
  pollfd readable{from_, POLLIN, 0};
  return !pending_.empty() || ::poll(&readable, 1, 0) > 0;
}

// A terminal gives EIO when the last who had its other end open has closed it (pty(7)).
void Pump::read_some() {
  std::array<char, 8192> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
  const ssize_t length = ::read(from_, bytes.data(), bytes.size());
  if (length < 0 && for_now(errno)) return;
  if (length > 0) pending_ = end_sequence_.filter({bytes.data(), static_cast<size_t>(length)});
  if (length <= 0 || (end_sequence_.pressed() && pending_.empty())) from_ = -1;
}

void Pump::write_some() {
  // A pipe that poll(2) calls writable takes so much without making its writer wait (pipe(7), PIPE_BUF).
  constexpr size_t kAtOnce = 4096;
  const ssize_t length = ::write(to_, pending_.data(), std::min(pending_.size(), kAtOnce));
  if (length < 0 && for_now(errno)) return;
  broken_ = length < 0;
  if (!broken_) pending_.erase(0, static_cast<size_t>(length));
  if (broken_ || (pending_.empty() && end_sequence_.pressed())) from_ = -1;
}

}  // namespace berth::runtime
