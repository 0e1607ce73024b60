// Base64 as RFC 4648 has it in section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::registry {

std::string base64_encode(std::string_view bytes);
// None where the text is not Base64. Padding may be left out.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace berth::registry
