#include "cli/template_printf.h"

#include <algorithm>
#include <optional>

#include "cli/template_quotes.h"

namespace berth::cli::templates {

namespace {

constexpr size_t kWidest = 1000;

struct Verb {
  bool left = false;   // -
  bool plus = false;   // +
  bool space = false;  // a space where a + would be
  bool sharp = false;  // #
  bool zero = false;   // 0
  size_t width = 0;
  std::optional<size_t> precision = std::nullopt;
  char letter = '\0';
};

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(const Verb& verb, std::string text) {
  const size_t size = characters(text);
  if (size >= verb.width) return text;
  const std::string spaces(verb.width - size, ' ');
  return verb.left ? text + spaces : spaces + text;
}

// `sign` stands before the zeros that fill the width.
std::string padded_number(const Verb& verb, const std::string& sign, const std::string& digits) {
  const size_t size = sign.size() + digits.size();
  if (!verb.zero || verb.left || size >= verb.width) return padded(verb, sign + digits);
  return sign + std::string(verb.width - size, '0') + digits;
}

std::string sign_of(const Verb& verb, bool negative) {
  return negative ? "-" : verb.plus ? "+" : verb.space ? " " : "";
}

std::unexpected<Error> unfit(const Verb& verb, const Json& value) {
  return fail(Code::usage, "%{} is not for {}", verb.letter, kind_of(Value{.json = &value}));
}

Result<std::string> whole_number(const Verb& verb, const Json& value) {
  if (!value.is_number_integer()) return unfit(verb, value);
  const bool negative = !value.is_number_unsigned() && value.get<int64_t>() < 0;
  // The least of all has no positive counterpart but this one.
  const uint64_t amount = negative ? ~static_cast<uint64_t>(value.get<int64_t>()) + 1 : value.get<uint64_t>();
  const auto number = [&](std::string_view prefix, const std::string& digits) {
    return padded_number(verb, fmt::format("{}{}", sign_of(verb, negative), verb.sharp ? prefix : ""),
                         digits);
  };
  switch (verb.letter) {
    case 'x':
      return number("0x", fmt::format("{:x}", amount));
    case 'X':
      return number("0X", fmt::format("{:X}", amount));
    case 'o':
      return number("0", fmt::format("{:o}", amount));
    case 'b':
      return number("0b", fmt::format("{:b}", amount));
    default:
      return number("", fmt::format("{}", amount));
  }
}

Result<std::string> real_number(const Verb& verb, const Json& value) {
  if (!value.is_number()) return unfit(verb, value);
  const auto number = value.get<double>();
  const double amount = number < 0 ? -number : number;
  constexpr size_t kUsual = 6;
  const size_t precision = verb.precision.value_or(kUsual);
  std::string digits;
  if (verb.letter == 'f' || verb.letter == 'F') {
    digits = fmt::format("{:.{}f}", amount, precision);
  } else if (verb.letter == 'e') {
    digits = fmt::format("{:.{}e}", amount, precision);
  } else {
    digits = verb.precision ? fmt::format("{:.{}g}", amount, precision) : fmt::format("{}", amount);
  }
  return padded_number(verb, sign_of(verb, number < 0), digits);
}

Result<std::string> hex_text(const Verb& verb, const std::string& text) {
  std::string digits;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    digits += verb.letter == 'x' ? fmt::format("{:02x}", byte) : fmt::format("{:02X}", byte);
  }
  return padded(verb, std::move(digits));
}

Result<std::string> as_text(const Verb& verb, const Value& value) {
  std::string text = plain(value);
  if (verb.precision) text.resize(bytes_of_characters(text, *verb.precision));
  return padded(verb, verb.letter == 'q' ? in_quotes(text) : std::move(text));
}

Result<std::string> one(const Verb& verb, const Value& value) {
  const Json& json = *value.json;
  switch (verb.letter) {
    case 'v':
      if (json.is_number_integer() && (verb.plus || verb.zero)) return whole_number(verb, json);
      if (json.is_string() && verb.sharp) return padded(verb, in_quotes(json.get_ref<const std::string&>()));
      return as_text(verb, value);
    case 's':
      return as_text(verb, value);
    case 'q':
      if (!json.is_string() && !json.is_null()) return unfit(verb, json);
      return as_text(verb, value);
    case 't':
      if (!json.is_boolean()) return unfit(verb, json);
      return padded(verb, json.get<bool>() ? "true" : "false");
    case 'x':
    case 'X':
      if (json.is_string()) return hex_text(verb, json.get_ref<const std::string&>());
      return whole_number(verb, json);
    case 'd':
    case 'o':
    case 'b':
      return whole_number(verb, json);
    case 'f':
    case 'F':
    case 'e':
    case 'g':
      return real_number(verb, json);
    default:
      return fail(Code::usage, "there is no %{}: it is %s %v %d %q %t %x %o %b %f %e %g", verb.letter);
  }
}

Result<std::string> all(const Verb& verb, const Value& value) {
  if (!value.json->is_array()) return one(verb, value);
  std::string out = "[";
  for (const Json& element : *value.json) {
    out += (out.size() > 1 ? " " : "") + TRY(all(verb, Value{.json = &element}));
    TRY(check_size(out.size()));
  }
  return out + "]";
}

class Format {
 public:
  Format(std::string_view format, std::span<const Value> values) : rest_(format), values_(values) {}

  Result<std::string> run() {
    std::string out;
    while (!rest_.empty()) {
      const size_t percent = std::min(rest_.find('%'), rest_.size());
      out += rest_.substr(0, percent);
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      const Verb verb = TRY(take_verb());
      if (verb.letter == '%') {
        out += '%';
        continue;
      }
      if (used_ == values_.size()) return fail(Code::usage, "there is no value for its %{}", verb.letter);
      out += TRY(all(verb, values_[used_++]));
      TRY(check_size(out.size()));
    }
    if (used_ < values_.size())
      return fail(Code::usage, "it is given {} values and has a % for {}", values_.size(), used_);
    return out;
  }

 private:
  Result<Verb> take_verb() {
    Verb verb;
    take_flags(verb);
    verb.width = TRY(take_number());
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      verb.precision = TRY(take_number());
    }
    if (rest_.empty()) return fail(Code::usage, "its last % is followed by nothing");
    verb.letter = rest_.front();
    rest_.remove_prefix(1);
    return verb;
  }

  void take_flags(Verb& verb) {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (std::string_view("-+ #0").find(c) == std::string_view::npos) return;
      verb.left |= c == '-';
      verb.plus |= c == '+';
      verb.space |= c == ' ';
      verb.sharp |= c == '#';
      verb.zero |= c == '0';
      rest_.remove_prefix(1);
    }
  }

  Result<size_t> take_number() {
    size_t number = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      number = number * 10 + static_cast<size_t>(rest_.front() - '0');
      if (number > kWidest) return fail(Code::usage, "a width of more than {}", kWidest);
      rest_.remove_prefix(1);
    }
    return number;
  }

  std::string_view rest_;
  std::span<const Value> values_;
  size_t used_ = 0;
};

}  // namespace

Result<std::string> formatted(std::string_view format, std::span<const Value> values) {
  return Format(format, values).run();
}

size_t bytes_of_characters(std::string_view text, size_t count) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (begins && count-- == 0) return at;
  }
  return at;
}

}  // namespace berth::cli::templates
