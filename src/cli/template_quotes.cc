#include "cli/template_quotes.h"

#include <charconv>
#include <optional>

namespace berth::cli::templates {

namespace {

constexpr uint32_t kLastCodePoint = 0x10FFFF;

bool is_surrogate(uint32_t code) {
  return code >= 0xD800 && code <= 0xDFFF;
}

void add_utf8(std::string& out, uint32_t code) {
  const auto byte = [&](uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  const auto tail = [&](uint32_t value) { byte(0x80U | (value & 0x3FU)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0U | (code >> 6U));
    tail(code);
  } else if (code < 0x10000) {
    byte(0xE0U | (code >> 12U));
    tail(code >> 6U);
    tail(code);
  } else {
    byte(0xF0U | (code >> 18U));
    tail(code >> 12U);
    tail(code >> 6U);
    tail(code);
  }
}

std::optional<uint32_t> number(std::string_view digits, size_t length, int base) {
  if (digits.size() < length) return std::nullopt;
  uint32_t value = 0;
  const char* const end = digits.data() + length;
  const auto read = std::from_chars(digits.data(), end, value, base);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

// The escapes of Go's specification ("Rune literals").
class EscapeReader {
 public:
  EscapeReader(std::string_view source, std::string& out) : source_(source), out_(out) {}

  // `source` begins after the backslash; gives how much of it the escape was.
  Result<size_t> read() {
    constexpr std::string_view kNames = "abfnrtv\\'\"";
    constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"";
    const char name = source_.empty() ? '\0' : source_.front();
    if (const size_t found = kNames.find(name); name != '\0' && found != std::string_view::npos) {
      out_ += kValues[found];
      return 1;
    }
    if (name == 'x') return byte(source_.substr(1), 2, 16, 1);
    if (name >= '0' && name <= '7') return byte(source_, 3, 8, 0);
    if (name == 'u' || name == 'U') return code_point(name == 'u' ? 4 : 8);
    return fail(Code::usage, "\"\\{}\" is no escape; a backslash is \\\\", name == '\0' ? ' ' : name);
  }

 private:
  Result<size_t> byte(std::string_view digits, size_t length, int base, size_t before) {
    const auto value = number(digits, length, base);
    if (!value || *value > 0xFF)
      return fail(Code::usage, "\"\\{}\" is no byte", source_.substr(0, length + before));
    out_ += static_cast<char>(static_cast<unsigned char>(*value));
    return length + before;
  }

  Result<size_t> code_point(size_t length) {
    const auto value = number(source_.substr(1), length, 16);
    if (!value || *value > kLastCodePoint || is_surrogate(*value))
      return fail(Code::usage, "\"\\{}\" is no character", source_.substr(0, length + 1));
    add_utf8(out_, *value);
    return length + 1;
  }

  std::string_view source_;
  std::string& out_;
};

// Of the only character in a text; nullopt if there is none, or more.
std::optional<int64_t> only_code_point(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(text.front());
  const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() != length) return std::nullopt;
  if (length == 1) return first;
  uint32_t code = first & (0x7FU >> length);
  for (const char c : text.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

}  // namespace

Result<Quoted> read_quoted(std::string_view source) {
  const char quote = source.front();
  Quoted read;
  size_t at = 1;
  while (at < source.size() && source[at] != quote) {
    if (source[at] == '\n' && quote != '`') break;
    if (source[at] == '\\' && quote != '`') {
      at += 1 + TRY(EscapeReader(source.substr(at + 1), read.text).read());
    } else {
      read.text += source[at++];
    }
  }
  if (at >= source.size() || source[at] != quote) return fail(Code::usage, "a {} without its end", quote);
  read.length = at + 1;
  if (quote == '\'') {
    const auto code = only_code_point(read.text);
    if (!code)
      return fail(Code::usage, "{} is not one character; texts stand in \"\"", source.substr(0, at + 1));
    read.character = *code;
  }
  return read;
}

std::string in_quotes(std::string_view text) {
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kNames = "abfnrtv\\\"";
  constexpr char kDelete = '\x7F';
  std::string out = "\"";
  for (const char c : text) {
    const size_t found = c == '\0' ? std::string_view::npos : kValues.find(c);
    if (found != std::string_view::npos) {
      out += '\\';
      out += kNames[found];
    } else if (static_cast<unsigned char>(c) < 0x20 || c == kDelete) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace berth::cli::templates
