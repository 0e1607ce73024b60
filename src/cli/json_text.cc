#include "cli/json_text.h"

#include "base/error.h"

namespace berth::cli {

std::string json_text(const nlohmann::ordered_json& document, int indent) {
  constexpr char kDelete = '\x7F';
  constexpr char kLead = '\xC2';  // of U+0080 to U+00BF in UTF-8, and of nothing else
  constexpr unsigned char kLastControl = 0x9F;
  const std::string text =
      document.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string escaped;
  escaped.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (text[i] == kDelete) {
      escaped += "\\u007f";
    } else if (text[i] == kLead && next <= kLastControl) {
      escaped += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

void print_json(const nlohmann::ordered_json& document) {
  fmt::print("{}\n", json_text(document, 4));
}

}  // namespace berth::cli
