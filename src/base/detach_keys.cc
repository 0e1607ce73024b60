#include "base/detach_keys.h"

namespace berth {

namespace {

// The byte that a terminal sends for a key with the control key held (ascii(7)); 0 is ctrl-@.
Result<char> key_byte(std::string_view key) {
  constexpr std::string_view kControl = "ctrl-";
  if (key.size() == 1) return key.front();
  if (key.size() == kControl.size() + 1 && key.starts_with(kControl)) {
    const char letter = key.back();
    if (letter >= 'a' && letter <= 'z') return static_cast<char>(letter - 'a' + 1);
    if (letter >= 'A' && letter <= 'Z') return static_cast<char>(letter - 'A' + 1);
    if (std::string_view("@[\\]^_").find(letter) != std::string_view::npos)
      return static_cast<char>(letter - '@');
  }
  return fail(Code::usage, "\"{}\" is no key: it is a character, or ctrl- and a letter or one of @[\\]^_",
              key);
}

}  // namespace

Result<std::string> parse_detach_keys(std::string_view text) {
  std::string keys;
  if (text.empty()) return keys;
  while (true) {
    const size_t comma = text.find(',');
    keys += TRY_CONTEXT(key_byte(text.substr(0, comma)), "--detach-keys");
    if (comma == std::string_view::npos) return keys;
    text.remove_prefix(comma + 1);
  }
}

std::string DetachKeys::filter(std::string_view typed) {
  if (keys_.empty()) return std::string(typed);
  std::string passed;
  for (const char byte : typed) {
    held_back_ += byte;
    while (!std::string_view(keys_).starts_with(held_back_)) {
      passed += held_back_.front();
      held_back_.erase(0, 1);
    }
    if (held_back_ == keys_) {
      pressed_ = true;
      break;
    }
  }
  return passed;
}

}  // namespace berth
