// A message from systemd's socket: whatever comes, it is read within its bounds, and what is taken was all
// of it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "systemd/message.h"

using namespace berth::systemd;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto told = message_size(bytes);
  if (told && *told > kMaxMessageBytes) std::abort();
  const auto message = parse_message(bytes);
  if (!message) return 0;
  if (!told || *told != size || message->body.size() > size) std::abort();
  Reader reader(message->body);
  while (!reader.at_end()) {
    const size_t before = reader.position();
    if (!reader.string()) break;
    if (reader.position() <= before || reader.position() > message->body.size()) std::abort();
  }
  return 0;
}
