#include "config/document_scan.h"

#include <array>

namespace berth::config {

namespace {

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Result<> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      TRY(check_byte());
      if (c == '\n') {
        ++line_;
        dots_ = 0;
      } else if (c == '#') {
        TRY(pass_comment());
        continue;
      } else if (c == '"' || c == '\'') {
        TRY(pass_string(c));
        continue;
      } else if (c == '.' && ++dots_ > kMaxDots) {
        return refuse(fmt::format("the line has more than {} dots", kMaxDots));
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        return refuse("letters beyond ASCII belong into strings and comments");
      }
      ++at_;
    }
    return {};
  }

 private:
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view why) const {
    return fail(Code::refused, "{}:{}: {}", file_, line_, why);
  }

  // Control characters, and those that Unicode takes for line ends but TOML does not.
  [[nodiscard]] Result<> check_byte() const {
    static constexpr std::array<std::string_view, 3> kLineEnds{"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    const auto c = static_cast<unsigned char>(text_[at_]);
    const bool line_end = c == '\n' || (c == '\r' && text_.substr(at_ + 1, 1) == "\n");
    if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7f) {
      return refuse(fmt::format("there is a control character, {:#04x}", c));
    }
    for (const std::string_view sequence : kLineEnds) {
      if (text_.substr(at_, sequence.size()) == sequence) {
        return refuse("there is a line end that TOML does not have");
      }
    }
    return {};
  }

  Result<> pass_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      TRY(check_byte());
      ++at_;
    }
    return {};
  }

  Result<> pass_string(char quote) {
    ++at_;
    if (text_.substr(at_, 2) == std::string(2, quote)) return refuse("a string goes over one line only");
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      TRY(check_byte());
      if (text_[at_] == quote) {
        ++at_;
        return {};
      }
      // A backslash at the line's end escapes nothing.
      if (quote == '"' && text_[at_] == '\\' && text_.substr(at_ + 1, 1) != "\n") ++at_;
    }
    return refuse("a string has no end");
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t dots_ = 0;
};

}  // namespace

Result<> scan_document(std::string_view text, const std::string& file) {
  return Scanner(text, file).run();
}

}  // namespace berth::config
