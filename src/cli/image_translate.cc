// `berth image translate`.
#include "cli/flags.h"
#include "cli/images.h"
#include "cli/translation_text.h"
#include "config/load.h"
#include "config/policy_checks.h"
#include "engine/caller_signals.h"
#include "engine/recovery/store_copy.h"
#include "engine/translation/translate.h"
#include "idmap/id_map.h"
#include "idmap/map_algebra.h"
#include "ledger/named_banks.h"
#include "store/images.h"

namespace berth::cli {

namespace {

// The map of a container that names the same banks. A number is held from here on, as by `berth run`.
Result<idmap::IdMap> map_of_banks(store::Store& store, const std::vector<std::string>& words) {
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  std::vector<Bank> banks;
  for (const std::string& word : words) {
    for (const Bank bank : TRY_CONTEXT(ledger::claim_banks(store.db(), word), "--bank {}", word))
      banks.push_back(bank);
  }
  idmap::IdMap map = TRY(idmap::IdMap::from_banks(banks));
  TRY(config::check_ranges(config, idmap::outside_ranges(map), "--bank"));
  TRY(engine::write_store_copy(store));
  TRY(transaction.commit());
  return map;
}

}  // namespace

Result<int> translate_image(const Invocation& invocation) {
  std::string name;
  std::vector<std::string> banks;
  Flags line(invocation, "--bank BANK [--bank BANK...] IMAGE",
             "Copies an image for the IDs of banks, as `berth run --bank BANK` does first where nothing can "
             "map IDs,\n"
             "and prints the copy's directory. `berth images --translated` lists copies.",
             "  berth bank create web\n  berth image translate debian --bank web\n");
  line.list("--bank,--private-uids", banks, "NAME, 3 or 1-3, as `berth run` has it");
  line.word("image", name, Need::required);
  if (!TRY(line.parse())) return 0;
  if (banks.empty()) {
    Error error{Code::usage, 0, "berth image translate needs the banks that the copy is for", {}};
    return std::unexpected(
        std::move(error).with_hint("`berth bank create NAME` makes one; then --bank NAME."));
  }
  store::Store store = TRY(open_store(invocation));
  const store::ImageRecord image = TRY(store::find_image(store, name));
  const idmap::IdMap map = TRY(map_of_banks(store, banks));
  const engine::CallerSignals signals = TRY(engine::CallerSignals::take());
  const store::Translation made =
      TRY(engine::translate_image(store, {image, image.name.empty() ? image.id : image.name, map, map,
                                          announce_translation, engine::signal_pending}));
  fmt::print("{}/translated/{}\n", store.locations().root, made.directory);
  return 0;
}

}  // namespace berth::cli
