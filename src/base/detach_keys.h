// The keys that end being attached to a process's terminal and leave the process running (--detach-keys).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth {

// As podman and Docker have it.
inline constexpr const char* kDefaultDetachKeys = "ctrl-p,ctrl-q";

// What a terminal sends for "a", "ctrl-p,ctrl-q" or the like: single characters, and ctrl- with a letter or
// one of [ \ ] ^ _. An empty text means no keys. Code::usage.
Result<std::string> parse_detach_keys(std::string_view text);

// Looks for a sequence of bytes in a stream of them.
class SequenceFilter {
 public:
  SequenceFilter() = default;  // for none
  explicit SequenceFilter(std::string sequence) : sequence_(std::move(sequence)) {}

  // What of the stream may go on by now: bytes that could be the sequence's beginning wait for the next ones.
  // Nothing after the sequence, which itself is not among them.
  std::string pass(std::string_view bytes);
  [[nodiscard]] bool found() const { return found_; }

 private:
  std::string sequence_;
  std::string held_;
  bool found_ = false;
};

}  // namespace berth
