// The keys that leave a container's terminal without ending anything: "ctrl-p,ctrl-q".
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth {

inline constexpr const char* kUsualDetachKeys = "ctrl-p,ctrl-q";

// A sequence of single characters and ctrl-X, where X is a letter or one of @[\\]^_, with commas between;
// empty: no keys. Gives the bytes that a terminal sends for them. Code::usage for anything else.
Result<std::string> parse_detach_keys(std::string_view text);

// Looks for the keys in what is typed.
class DetachKeys {
 public:
  explicit DetachKeys(std::string keys) : keys_(std::move(keys)) {}

  // What of `typed` is the container's. The beginning of the sequence is kept back until it is clear that it
  // goes on otherwise.
  std::string filter(std::string_view typed);
  // The whole sequence has been typed.
  [[nodiscard]] bool pressed() const { return pressed_; }

 private:
  std::string keys_;
  std::string held_back_;
  bool pressed_ = false;
};

}  // namespace berth
