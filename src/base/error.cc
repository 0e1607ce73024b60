#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace berth {

std::string describe_errno(int err) {
  const char* name = strerrorname_np(err);
  const char* text = strerrordesc_np(err);
  if (name == nullptr || text == nullptr) return fmt::format("error {}", err);
  return fmt::format("{} ({})", name, text);
}

std::unexpected<Error> fail_errno_text(int err, std::string what) {
  Error error{Code::failed, err, fmt::format("{}: {}", what, describe_errno(err)), {}};
  if (err == ENOSPC || err == EDQUOT) error.hint = kFullDiskHint;
  return std::unexpected(std::move(error));
}

int exit_status(Code code) {
  switch (code) {
    case Code::command_not_found:
      return 127;
    case Code::not_executable:
      return 126;
    case Code::failed:
    case Code::usage:
    case Code::not_found:
    case Code::conflict:
    case Code::refused:
      return 125;
  }
  return 125;
}

namespace {

// The length of the well-formed UTF-8 sequence at the start of `text`, or 0. Overlong forms, surrogates and
// C1 controls (which terminals obey) count as malformed.
size_t utf8_sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80; };
  const unsigned lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF && continues(1)) return lead == 0xC2 && byte(1) < 0xA0 ? 0 : 2;
  if (lead >= 0xE0 && lead <= 0xEF && continues(1) && continues(2)) {
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && continues(1) && continues(2) && continues(3)) {
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    size_t length = 1;
    if (c >= 0x20 && c < 0x7F) {
      out += text.front();
    } else if (c >= 0x80 && (length = utf8_sequence_length(text)) > 0) {
      out += text.substr(0, length);
    } else {
      length = 1;
      out += fmt::format("\\x{:02x}", c);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string render(std::string_view program, const Error& error) {
  std::string out = fmt::format("{}: {}\n", program, printable(error.message));
  if (!error.hint.empty()) out += fmt::format("hint: {}\n", printable(error.hint));
  return out;
}

}  // namespace berth
