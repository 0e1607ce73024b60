#include "ledger/bank_numbers.h"

#include <optional>

#include "base/fields.h"
#include "idmap/id_map.h"

namespace berth::ledger {

namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr size_t kLongestName = 128;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Error> fail_word(std::string_view text) {
  Error error{Code::usage, 0, fmt::format("\"{}\" is neither a bank's number nor its name", text), {}};
  return std::unexpected(
      std::move(error).with_hint("A number is 3 or a range 1-3, counted from the pool's first bank, which is "
                                 "0. A name begins with a letter "
                                 "and goes on with letters, digits, _, . and -, 128 at most."));
}

Result<BankWord> parse_name(std::string_view text) {
  const bool good =
      text.size() <= kLongestName && is_letter(text.front()) &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
          std::string_view::npos;
  if (!good) return fail_word(text);
  return BankWord{std::string(text), 0, 0};
}

}  // namespace

Result<BankWord> parse_bank_word(std::string_view text) {
  if (text.empty() || kDigits.find(text.front()) == std::string_view::npos) {
    if (text.empty()) return fail_word(text);
    return parse_name(text);
  }
  const size_t dash = text.find('-');
  const std::optional<uint64_t> first = whole_number<uint64_t>(text.substr(0, dash));
  const std::optional<uint64_t> last =
      dash == std::string_view::npos ? first : whole_number<uint64_t>(text.substr(dash + 1));
  if (!first || !last) {
    // More digits than any number has is a number all the same.
    if (text.find_first_not_of("0123456789-") != std::string_view::npos || text.back() == '-')
      return fail_word(text);
    return fail(Code::usage, "bank {}: the numbers of banks are 0 to {}", text, kPoolBanks - 1);
  }
  if (*first >= kPoolBanks || *last >= kPoolBanks) {
    return fail(Code::usage, "bank {}: the numbers of banks are 0 to {}", text, kPoolBanks - 1);
  }
  if (*last < *first) return fail(Code::usage, "bank {}: the range ends before it begins", text);
  if (*last - *first >= idmap::IdMap::kMaxExtents) {
    return fail(Code::usage, "bank {}: {} banks are more than the {} that a container's map can have", text,
                *last - *first + 1, idmap::IdMap::kMaxExtents);
  }
  return BankWord{{}, static_cast<uint32_t>(*first), static_cast<uint32_t>(*last)};
}

bool is_bank_number(std::string_view text) {
  const bool digits = !text.empty() && text.find_first_not_of(kDigits) == std::string_view::npos;
  return digits && (text == "0" || text.front() != '0');
}

}  // namespace berth::ledger
