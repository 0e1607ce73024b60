// How people call banks: by a name, or by a number that counts from the pool's first bank. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "ledger/pool.h"

namespace berth::ledger {

// The owner kind of banks that containers share by naming them. The id of one that was asked for by its
// number is that number.
inline constexpr std::string_view kNameKind = "name";

// What `--bank` is given: "web", "3", "1-3".
struct BankWord {
  std::string name;  // empty: numbers
  uint32_t first = 0;
  uint32_t last = 0;  // included
};

// Code::usage with what is wrong: a number out of the pool, a range that runs backwards or is longer than the
// 340 extents that a map may have, a name that is none.
Result<BankWord> parse_bank_word(std::string_view text);

// "3", with no zero in front: what a numbered bank's owner is called.
bool is_bank_number(std::string_view text);

// The number that people use: 0 is the pool's first bank, whose host IDs begin at 524288.
constexpr uint32_t number_of(Bank bank) {
  return static_cast<uint32_t>(bank.number() - kFirstBank.number());
}
constexpr Bank bank_of_number(uint32_t number) {
  return Bank(static_cast<uint16_t>(number + kFirstBank.number()));
}

}  // namespace berth::ledger
