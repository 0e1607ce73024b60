#include "cli/flags.h"
#include "cli/system.h"
#include "engine/recover.h"
#include "ledger/banks.h"
#include "store/layers.h"

namespace berth::cli {

Result<int> system_repair(const Invocation& invocation) {
  Flags line(
      invocation, "",
      "Puts right what killed processes may have left: containers whose end was not recorded, half-made "
      "layers,\n"
      "banks without an owner. Other commands do the same in passing for what they look at; it may run "
      "at any time.",
      "  berth system repair\n");
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  const engine::Recovered recovered = TRY(engine::recover(store));
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  const int64_t banks = TRY(ledger::reclaim_banks(store.db()));
  TRY(transaction.commit());
  const int64_t bytes = TRY(store::collect_garbage(store));
  fmt::print("containers whose end is now recorded: {}\n", recovered.ended);
  fmt::print("containers removed: {}\n", recovered.removed);
  fmt::print("banks freed: {}\n", banks);
  fmt::print("bytes of layers without an image: {}\n", bytes);
  return 0;
}

}  // namespace berth::cli
