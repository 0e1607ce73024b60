// A template of --format: whatever it is, it is refused with its place, or ends within its bounds.
#include "cli/template.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace berth;
  static const nlohmann::ordered_json kObject = {{"Name", "web\xC3\xA9"},
                                                 {"Running", true},
                                                 {"Count", 7},
                                                 {"Share", -1.5},
                                                 {"Nothing", nullptr},
                                                 {"List", {"one", "two", {{"Name", "three"}}, {1, 2, 3}}},
                                                 {"Config", {{"Labels", {{"a-b", "c"}, {"d", ""}}}}},
                                                 {"Networks", {{"a b", {{{"IPAddress", "10.0.0.1"}}}}}}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = cli::Template::parse(text);
  if (!parsed) {
    if (parsed.error().code != Code::usage || !parsed.error().message.starts_with("--format")) std::abort();
    return 0;
  }
  [[maybe_unused]] const std::string heading = parsed->heading();
  const auto shown = parsed->expand(kObject);
  constexpr size_t kMost = size_t{16} << 20;
  if (shown ? shown->size() > kMost : !shown.error().message.starts_with("--format, ")) std::abort();
  return 0;
}
