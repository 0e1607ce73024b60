// Lines of a container's log: an entry is exactly what it was made of, and nothing outside its line is read.
#include "monitor/log_entry.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace berth::monitor;
  const std::string log(reinterpret_cast<const char*>(data), size);
  for (std::string_view rest = log; !rest.empty();) {
    const size_t end = rest.find('\n');
    // A copy, so that a byte too many is seen.
    const std::string line(rest.substr(0, end));
    if (const auto entry = parse_log_entry(line)) {
      const std::string again = std::string(entry->time) +
                                (entry->stream == Stream::error ? " stderr " : " stdout ") +
                                (entry->partial ? "P " : "F ") + std::string(entry->text);
      if (again != line) std::abort();
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return 0;
}
