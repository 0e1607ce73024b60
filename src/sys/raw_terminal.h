// The terminal at the standard input.
#pragma once

#include <termios.h>

namespace berth::sys {

// It passes every key on as it is (termios(3), "Raw mode") for as long as the object lives, and is then put
// back. Where there is none, nothing happens.
class RawTerminal {
 public:
  RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

 private:
  termios saved_{};
  bool active_ = false;
};

}  // namespace berth::sys
