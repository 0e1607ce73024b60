#include "config/document_scan.h"

#include <array>
#include <cstdint>

namespace berth::config {

namespace {

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Result<std::string> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') TRY(letter());
        continue;
      }
      if (c == '"' || c == '\'') {
        TRY(pass_string(c));
        continue;
      }
      const uint32_t code = TRY(letter());
      if (code >= 0x80) return refuse("letters beyond ASCII belong into strings and comments");
      if (code == '.' && ++dots_ > kMaxDots) {
        return refuse(fmt::format("the line has more than {} dots", kMaxDots));
      }
      out_ += c;
      if (code == '\n') {
        ++line_;
        dots_ = 0;
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view why) const {
    return fail(Code::refused, "{}:{}: {}", file_, line_, why);
  }

  // Takes one letter.
  Result<uint32_t> letter() {
    const auto first = static_cast<unsigned char>(text_[at_]);
    const bool line_end = first == '\n' || (first == '\r' && text_.substr(at_ + 1, 1) == "\n");
    if ((first < 0x20 && first != '\t' && !line_end) || first == 0x7f) {
      return refuse(fmt::format("there is a control character, {:#04x}", first));
    }
    ++at_;
    if (first < 0x80) return first;
    return letter_beyond_ascii(first);
  }

  Result<uint32_t> letter_beyond_ascii(unsigned char first) {
    static constexpr std::array<uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};  // else it is overlong
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t code = first & (0xffU >> (length + 1));
    bool good = first >= 0xc2 && first <= 0xf4;
    for (size_t i = 1; good && i < length; ++i, ++at_) {
      const unsigned byte = at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : 0U;
      good = (byte & 0xc0U) == 0x80;
      code = code << 6 | (byte & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (!good || surrogate || code < kLeast[length] || code > 0x10ffff) return refuse("this is not UTF-8");
    return code;
  }

  Result<> pass_string(char quote) {
    out_ += text_[at_++];
    if (text_.substr(at_, 2) == std::string(2, quote)) return refuse("a string goes over one line only");
    while (at_ < text_.size() && text_[at_] != '\n') {
      const char c = text_[at_];
      const uint32_t code = TRY(letter());
      if (code >= 0x80) {
        if (quote == '\'') return refuse("letters beyond ASCII need a string in double quotes");
        out_ += fmt::format("\\U{:08x}", code);
        continue;
      }
      out_ += c;
      if (c == quote) return {};
      if (quote == '\'' || c != '\\' || at_ == text_.size()) continue;
      // The escaped one may be the quote. What is beyond ASCII is no escape, and becomes one here.
      if (static_cast<unsigned char>(text_[at_]) >= 0x80) return refuse("a backslash escapes no such letter");
      if (text_[at_] == '"' || text_[at_] == '\\') out_ += text_[at_++];
    }
    return refuse("a string has no end");
  }

  std::string_view text_;
  const std::string& file_;
  std::string out_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t dots_ = 0;
};

}  // namespace

Result<std::string> scan_document(std::string_view text, const std::string& file) {
  return Scanner(text, file).run();
}

}  // namespace berth::config
