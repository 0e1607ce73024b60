#include "base/detach_keys.h"

#include <algorithm>

#include "base/fields.h"

namespace berth {

namespace {

// The byte that a key sends; 0 for no such key.
char byte_of(std::string_view key) {
  constexpr std::string_view kControl = "ctrl-";
  constexpr char kToControl = 0x1f;
  if (key.size() == 1 && key[0] > ' ' && key[0] < 0x7f) return key[0];
  if (!key.starts_with(kControl) || key.size() != kControl.size() + 1) return 0;
  const char with = key.back();
  const bool letter = (with >= 'a' && with <= 'z') || (with >= 'A' && with <= 'Z');
  constexpr std::string_view kOthers = "[\\]^_";
  if (!letter && kOthers.find(with) == std::string_view::npos) return 0;
  return static_cast<char>(with & kToControl);
}

}  // namespace

Result<std::string> parse_detach_keys(std::string_view text) {
  std::string bytes;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view key = take_until(rest, ',');
    const char byte = byte_of(key);
    if (byte == 0) {
      return fail(Code::usage,
                  "--detach-keys \"{}\": \"{}\" is no key; it is a character, or ctrl- and a letter", text,
                  key);
    }
    bytes += byte;
  }
  return bytes;
}

std::string SequenceFilter::pass(std::string_view bytes) {
  if (sequence_.empty()) return std::string(bytes);
  std::string passed;
  for (const char byte : bytes) {
    if (found_) break;
    held_ += byte;
    // The longest end of what was held back that can still become the sequence.
    size_t keep = std::min(held_.size(), sequence_.size());
    while (keep > 0 && held_.compare(held_.size() - keep, keep, sequence_, 0, keep) != 0) --keep;
    passed.append(held_, 0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
    found_ = keep == sequence_.size();
  }
  return passed;
}

}  // namespace berth
