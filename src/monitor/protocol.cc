#include "monitor/protocol.h"

namespace berth::monitor {

std::string pack(Kind kind, std::string_view payload) {
  std::string message(1, static_cast<char>(kind));
  message += payload;
  return message;
}

Result<Kind> kind_of(std::string_view message) {
  if (message.empty()) return fail("the other end is gone");
  const auto kind = static_cast<uint8_t>(message.front());
  if (kind > static_cast<uint8_t>(Kind::detach)) return fail("a message of unknown kind {}", kind);
  return static_cast<Kind>(kind);
}

}  // namespace berth::monitor
