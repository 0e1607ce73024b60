#include "registry/challenge.h"

#include <optional>

#include "base/letter_case.h"

namespace berth::registry {

namespace {

constexpr size_t kMaxChallenges = 16;
constexpr size_t kMaxParameters = 32;

bool is_token_character(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// A cursor over the header.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // White space and commas; true if there was a comma.
  bool skip_separators() {
    bool comma = false;
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == ',')) {
      comma |= rest_[0] == ',';
      rest_.remove_prefix(1);
    }
    return comma;
  }
  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  // "" if there is none here.
  std::string_view token() {
    size_t n = 0;
    while (n < rest_.size() && is_token_character(rest_[n])) ++n;
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A token or a quoted string.
  std::optional<std::string> value() {
    if (!take('"')) {
      const std::string_view plain = token();
      if (plain.empty()) return std::nullopt;
      return std::string(plain);
    }
    std::string out;
    while (!rest_.empty()) {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_[0];
        rest_.remove_prefix(1);
      }
      out += c;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view position() const { return rest_; }
  void go_back_to(std::string_view position) { rest_ = position; }

 private:
  std::string_view rest_;
};

// The parameters of one challenge; stops before a word that no "=" follows, which is the next scheme. False
// where the header is malformed.
bool read_parameters(Scanner& scanner, Challenge& challenge) {
  while (!scanner.at_end()) {
    scanner.skip_separators();
    const std::string_view start = scanner.position();
    const std::string_view name = scanner.token();
    if (name.empty()) return scanner.at_end();
    scanner.skip_blanks();
    if (!scanner.take('=')) {
      scanner.go_back_to(start);
      return true;
    }
    scanner.skip_blanks();
    std::optional<std::string> value = scanner.value();
    if (!value || challenge.parameters.size() >= kMaxParameters) return false;
    challenge.parameters.emplace(small(name), std::move(*value));
  }
  return true;
}

}  // namespace

std::string Challenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> out;
  Scanner scanner(header);
  while (out.size() < kMaxChallenges) {
    scanner.skip_separators();
    const std::string_view scheme = scanner.token();
    if (scheme.empty()) break;
    Challenge challenge{small(scheme), {}};
    const bool well_formed = read_parameters(scanner, challenge);
    out.push_back(std::move(challenge));
    if (!well_formed) break;
  }
  return out;
}

}  // namespace berth::registry
