#include "ledger/restore.h"

#include "base/clock.h"
#include "ledger/banks.h"

namespace berth::ledger {

Result<bool> restore_bank(store::Database& db, Bank bank, const Owner& owner, int64_t since) {
  const std::optional<BankRecord> record = TRY(find_bank(db, bank));
  if (record && record->owner) return *record->owner == owner;
  if (const std::optional<BankRange> fresh = TRY(fresh_range_of(db, bank.number())))
    TRY(use_up(db, *fresh, bank.number()));
  TRY(hand_out(db, bank.number(), owner, since * kNanoseconds));
  return true;
}

}  // namespace berth::ledger
