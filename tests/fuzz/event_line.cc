// Events: whatever a name or a label holds, what is read is one line's, and whatever a line holds can be
// read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/event_feed.h"
#include "events/events.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace berth;
  const std::string text(reinterpret_cast<const char*>(data), size);
  [[maybe_unused]] const auto read = cli::parse_event(text);
  const std::string line = events::line({.action = events::kCreate,
                                         .id = "c0ffee",
                                         .name = text.substr(0, 100),
                                         .image = "image",
                                         .attributes = {{text, "value"}, {"key", text}},
                                         .time = 5});
  if (line.find('\n') != line.size() - 1 || line.rfind(events::kLineBegin) != 0) std::abort();
  const auto event = cli::parse_event(std::string_view(line).substr(0, line.size() - 1));
  if (!event || event->time != 5 || event->action != events::kCreate || event->image != "image") std::abort();
  return 0;
}
