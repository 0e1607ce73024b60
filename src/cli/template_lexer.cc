#include "cli/template_lexer.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/template_quotes.h"

namespace berth::cli::templates {

namespace {

constexpr size_t kLongest = size_t{64} << 10;
constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kSpace = " \t\r\n";

bool is_space(char c) {
  return kSpace.find(c) != std::string_view::npos;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Of other alphabets every byte counts as a letter.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// On a command line a tab or the end of a line is hard to type, so Docker and podman replace these two.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 't' || next == 'n' || next == '\\') {
      out += next == 't' ? '\t' : next == 'n' ? '\n' : '\\';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<nlohmann::ordered_json> number_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  for (const auto& [prefix, of] : {std::pair{"0x", 16}, {"0X", 16}, {"0o", 8}, {"0b", 2}}) {
    if (digits.starts_with(prefix)) base = of;
  }
  if (base != 10) digits.remove_prefix(2);
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  const char* const end = signed_digits.data() + signed_digits.size();
  int64_t whole = 0;
  const auto read = std::from_chars(signed_digits.data(), end, whole, base);
  if (read.ec == std::errc{} && read.ptr == end) return whole;
  if (base != 10) return std::nullopt;
  double real = 0;
  const auto as_real = std::from_chars(signed_digits.data(), end, real);
  if (as_real.ec == std::errc{} && as_real.ptr == end) return real;
  return std::nullopt;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    while (at_ < source_.size()) {
      const size_t open = std::min(source_.find(kOpen, at_), source_.size());
      take_text(open);
      if (open < source_.size()) TRY(take_action());
    }
    add(TokenKind::end, at_);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return source_.substr(at_); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  // Places are asked for in their order.
  Place place(size_t offset) {
    for (; counted_ < offset; ++counted_) {
      const bool ends_line = source_[counted_] == '\n';
      place_ = {place_.line + (ends_line ? 1 : 0), ends_line ? 1 : place_.character + 1};
    }
    return place_;
  }

  Token& add(TokenKind kind, size_t begin) {
    tokens_.push_back(Token{.kind = kind,
                            .place = place(begin),
                            .text = std::string(source_.substr(begin, at_ - begin)),
                            .after_space = after_space_});
    after_space_ = false;
    return tokens_.back();
  }

  void take_text(size_t end) {
    std::string_view text = source_.substr(at_, end - at_);
    if (trims_) text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    const bool trims_before =
        source_.substr(end).starts_with("{{-") && end + 3 < source_.size() && is_space(source_[end + 3]);
    if (trims_before) text = text.substr(0, text.find_last_not_of(kSpace) + 1);
    const size_t begin = at_;
    at_ = end;
    if (!text.empty()) add(TokenKind::text, begin).text = unescaped(text);
  }

  Result<> take_action() {
    const size_t begin = at_;
    at_ += kOpen.size();
    if (peek() == '-' && is_space(peek(1))) ++at_;
    const size_t first = std::min(source_.find_first_not_of(kSpace, at_), source_.size());
    if (source_.substr(first).starts_with("/*")) {
      at_ = first;
      return take_comment();
    }
    after_space_ = false;
    const Place opened = add(TokenKind::open, begin).place;
    while (!take_close()) {
      if (at_ == source_.size()) return error_at(opened, "a \"{{{{\" without its \"}}}}\"");
      TRY(take_token());
    }
    return {};
  }

  Result<> take_comment() {
    const size_t begin = at_;
    const size_t end = source_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return error_at(place(begin), "a \"/*\" without its \"*/\"");
    at_ = end + 2;
    const bool trims = is_space(peek()) && rest().substr(1).starts_with("-}}");
    if (!trims && !rest().starts_with(kClose))
      return error_at(place(begin), "a comment stands alone: {{{{/* … */}}}}");
    at_ += trims ? 4 : kClose.size();
    trims_ = trims;
    return {};
  }

  // With the spaces before it.
  bool take_close() {
    const size_t begin = at_;
    at_ = std::min(source_.find_first_not_of(kSpace, at_), source_.size());
    after_space_ = at_ > begin;
    const bool trims = after_space_ && rest().starts_with("-}}");
    if (!trims && !rest().starts_with(kClose)) return false;
    trims_ = trims;
    at_ += trims ? 1 : 0;
    const size_t close = at_;
    at_ += kClose.size();
    add(TokenKind::close, close);
    return true;
  }

  Result<> take_token() {
    const size_t begin = at_;
    const char c = peek();
    if (c == '"' || c == '`' || c == '\'') return take_quoted();
    if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && is_digit(peek(1)))) return take_number();
    if (is_letter(c) || c == '$' || c == '.') {
      ++at_;
      const bool bare = (c == '$' || c == '.') && !is_letter(peek());
      if (!bare) take_name();
      const TokenKind kind = c == '$'   ? TokenKind::variable
                             : c != '.' ? TokenKind::word
                             : bare     ? TokenKind::dot
                                        : TokenKind::field;
      add(kind, begin);
      if (kind == TokenKind::field) tokens_.back().text.erase(0, 1);
      return {};
    }
    return take_sign();
  }

  void take_name() {
    while (is_letter(peek()) || is_digit(peek())) ++at_;
  }

  Result<> take_sign() {
    const size_t begin = at_;
    if (rest().starts_with(":=")) {
      at_ += 2;
      add(TokenKind::declare, begin);
      return {};
    }
    constexpr std::string_view kSigns = "()|,=";
    constexpr TokenKind kKinds[] = {TokenKind::left, TokenKind::right, TokenKind::pipe, TokenKind::comma,
                                    TokenKind::assign};
    const size_t found = kSigns.find(peek());
    if (found == std::string_view::npos) {
      Error error = error_text(place(begin), fmt::format("\"{}\" means nothing here", peek()));
      if (peek() == '-' && !after_space_)
        error.hint = "A key that is no plain word: {{index .Labels \"a-b\"}}.";
      return std::unexpected(std::move(error));
    }
    ++at_;
    add(kKinds[found], begin);
    return {};
  }

  Result<> take_number() {
    const size_t begin = at_++;
    const auto is_part = [&] {
      const char before = source_[at_ - 1];
      const bool sign = (peek() == '-' || peek() == '+') && (before == 'e' || before == 'E');
      return is_digit(peek()) || is_letter(peek()) || peek() == '.' || sign;
    };
    while (is_part()) ++at_;
    const auto number = number_of(source_.substr(begin, at_ - begin));
    if (!number) return error_at(place(begin), "\"{}\" is no number", source_.substr(begin, at_ - begin));
    add(TokenKind::literal, begin).literal = *number;
    return {};
  }

  Result<> take_quoted() {
    const size_t begin = at_;
    Result<Quoted> quoted = read_quoted(rest());
    if (!quoted) return error_at(place(begin), "{}", quoted.error().message);
    at_ += quoted->length;
    Token& token = add(TokenKind::literal, begin);
    if (source_[begin] == '\'') {
      token.literal = quoted->character;
    } else {
      token.literal = std::move(quoted->text);
    }
    return {};
  }

  std::string_view source_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  bool after_space_ = false;
  bool trims_ = false;  // the last action ended with " -}}"
  size_t counted_ = 0;
  Place place_;
};

}  // namespace

Result<std::vector<Token>> tokens_of(std::string_view source) {
  if (source.size() > kLongest)
    return fail(Code::usage, "--format: the template has {} bytes, and {} are the most", source.size(),
                kLongest);
  return Lexer(source).run();
}

}  // namespace berth::cli::templates
