// Small and capital letters of ASCII, whatever the locale is.
#pragma once

#include <string>
#include <string_view>

namespace berth {

constexpr char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr char capital(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

inline std::string small(std::string_view text) {
  std::string changed(text);
  for (char& c : changed) c = small(c);
  return changed;
}

inline std::string capital(std::string_view text) {
  std::string changed(text);
  for (char& c : changed) c = capital(c);
  return changed;
}

}  // namespace berth
