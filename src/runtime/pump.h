// Bytes from one descriptor to another, as poll(2) lets them.
#pragma once

#include <string>
#include <string_view>

#include <poll.h>

#include "base/detach_keys.h"

namespace berth::runtime {

// The descriptors stay the caller's. Nothing is read before what was read last has been written, so a slow
// reader slows its writer.
class Pump {
 public:
  Pump() = default;  // one that has nothing to do
  Pump(int from, int to, std::string end_sequence = {})
      : from_(from), to_(to), end_sequence_(std::move(end_sequence)) {}

  // What to wait for; a descriptor of -1 once it is over.
  [[nodiscard]] pollfd awaited() const;
  // Does what can be done at once, after poll(2) has said something of awaited().
  void carry();
  // When whoever writes has ended: whether there is something left that it wrote.
  [[nodiscard]] bool has_more() const;

  [[nodiscard]] bool over() const { return from_ < 0; }
  // Why it is over, if not for the end of what there was: the other end has gone, or the bytes that are to
  // end it came.
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool was_ended() const { return end_sequence_.pressed(); }

 private:
  void read_some();
  void write_some();

  int from_ = -1;
  int to_ = -1;
  DetachKeys end_sequence_{std::string()};
  std::string pending_;
  bool broken_ = false;
};

}  // namespace berth::runtime
