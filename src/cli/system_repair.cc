#include "cli/flags.h"
#include "cli/system.h"
#include "engine/container/status.h"
#include "engine/recover.h"
#include "engine/recovery/rebuild.h"
#include "ledger/banks.h"
#include "store/layers.h"

namespace berth::cli {

namespace {

void print(const engine::Rebuilt& rebuilt) {
  if (!rebuilt.damaged.empty()) fmt::print("the damaged database is now: {}\n", rebuilt.damaged);
  fmt::print("containers taken in: {} ({} of them run)\n", rebuilt.containers, rebuilt.running);
  fmt::print("banks held again: {}\n", rebuilt.banks);
  fmt::print("volumes taken in: {}\n", rebuilt.volumes);
  for (const auto& [image, containers] : rebuilt.images) {
    fmt::print("image to be pulled again: {} (for {} container{})\n", printable(image), containers,
               containers == 1 ? "" : "s");
  }
  fmt::print(
      "Lost are: all images, how containers ended that were not running, and who held the banks that are "
      "free now.\n"
      "Unpacked layers stay until the next `berth system repair` or `berth image prune`.\n");
  for (const std::string& sentence : rebuilt.unknown) fmt::print("{}\n", printable(sentence));
}

}  // namespace

Result<int> system_repair(const Invocation& invocation) {
  bool rebuild = false;
  Flags line(
      invocation, "[flags]",
      "Puts right what killed processes may have left: containers whose end was not recorded, half-made "
      "layers,\n"
      "banks without an owner. Other commands do the same in passing for what they look at; it may run "
      "at any time.\n\n"
      "--rebuild is for a store whose database (berth.db) is damaged or gone, and only for that. It makes a "
      "new "
      "one\n"
      "from the containers' directories, the volumes, the names of banks and the user namespaces that run, "
      "says "
      "what\n"
      "could not be known, and keeps the damaged file. It never happens unasked: a backup of berth.db knows "
      "more.",
      "  berth system repair\n  berth system repair --rebuild\n");
  line.flag("--rebuild", rebuild, "Make a new database for a store that has lost its own");
  if (!TRY(line.parse())) return 0;
  if (rebuild) {
    TRY(require_root(invocation));
    const engine::Rebuilt rebuilt =
        TRY_CONTEXT(engine::rebuild_store(invocation.globals.locations), "rebuild the store's database");
    print(rebuilt);
    return 0;
  }
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
  for (const std::string& id : recovered.unknown) {
    fmt::print("left alone, not known to this database: {}/{}\n", store.locations().root,
               engine::container_directory(id));
  }
  return 0;
}

}  // namespace berth::cli
