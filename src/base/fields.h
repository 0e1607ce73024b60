// The parts of a line that somebody else wrote: fields and numbers.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace berth {

// The number that the whole text is, in decimal and without a '+'; nullopt if it is none, or does not fit
// into T. A '-' is for signed T only.
template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes what stands before the first `separator`, and the separator; all of the text if it has none.
constexpr std::string_view take_until(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace berth
