// `berth bank create`, `inspect` and `rm`.
#include <array>

#include "cli/bank_text.h"
#include "cli/banks.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/recovered_store.h"
#include "config/load.h"
#include "config/policy_checks.h"
#include "engine/container/names.h"
#include "engine/ids/pool_rules.h"
#include "engine/recovery/store_copy.h"
#include "ledger/named_banks.h"

namespace berth::cli {

namespace {

struct CreateFlags {
  std::string name;
  std::optional<int64_t> count;
  std::string number;
};

Result<std::vector<Bank>> create(store::Database& db, CreateFlags& flags, const config::Config& config) {
  if (flags.name.empty() && !flags.number.empty()) {
    flags.name = flags.number;
    return ledger::create_numbered_banks(db, flags.number);
  }
  if (!flags.number.empty()) return ledger::create_named_at(db, flags.name, flags.number);
  if (flags.name.empty()) flags.name = TRY(engine::made_up_name());
  return ledger::create_named_banks(db, flags.name, flags.count.value_or(1), engine::host_under(config));
}

// What was asked for by its number may be one that the policy does not allow.
Result<> check_allowed(const std::vector<Bank>& banks, const config::Config& config) {
  for (const Bank bank : banks) {
    TRY(config::check_ranges(config, std::array{idmap::range_of(bank)},
                             fmt::format("bank {}", ledger::number_of(bank))));
  }
  return {};
}

Result<nlohmann::ordered_json> describe(store::Database& db, const std::string& what) {
  nlohmann::ordered_json banks = nlohmann::ordered_json::array();
  uint64_t inside = 0;
  for (const Bank bank : TRY(ledger::find_banks(db, what))) {
    const std::optional<ledger::BankRecord> record = TRY(ledger::find_bank(db, bank));
    if (!record) return fail("bank {} has no record", ledger::number_of(bank));
    nlohmann::ordered_json one = bank_json(TRY(view_bank(db, *record)));
    one["InsideFirst"] = inside;
    one["InsideLast"] = inside + kBankSize - 1;
    inside += kBankSize;
    banks.push_back(std::move(one));
  }
  return nlohmann::ordered_json{{"Name", what}, {"Size", inside}, {"Banks", std::move(banks)}};
}

}  // namespace

Result<int> create_bank(const Invocation& invocation) {
  CreateFlags flags;
  Flags line(
      invocation, "[flags] [NAME]",
      "Takes banks from the pool and gives them a name, so that containers can share them: all that are "
      "started\n"
      "with `--bank NAME` have the same host IDs, and so may signal and trace each other and share IPC "
      "where\n"
      "that is asked for. Containers without it are never in a named bank. Prints the name; without NAME one "
      "is\n"
      "made up. The banks are held until `berth bank rm NAME`.",
      "  berth bank create db                      # one bank, wherever there is room\n"
      "  berth bank create farm --count 3          # 196,608 IDs, one bank after another from 0\n"
      "  berth bank create web --number 7          # the bank with the number 7: host IDs 983040-1048575\n"
      "  berth bank create --number 1-3            # numbered banks need no name: --bank 1-3 has them\n");
  line.value("--count", flags.count, "How many banks the name has (1)", {.range = Range{1, 340}});
  line.value("--number", flags.number, "The number of the bank to have, or a range of them",
             {.shown = "N or N-M"});
  line.word("name", flags.name, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (flags.count && !flags.number.empty()) {
    return fail(Code::usage, "--count and --number can't be given together: --number 1-3 is three banks");
  }
  store::Store store = TRY(open_store(invocation));
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  const auto take = [&]() -> Result<> {
    return check_allowed(TRY(create(store.db(), flags, config)), config);
  };
  TRY_CONTEXT(take(), "create bank{}", flags.name.empty() ? "" : fmt::format(" {}", flags.name));
  TRY(engine::write_store_copy(store));
  TRY(transaction.commit());
  fmt::print("{}\n", flags.name);
  return 0;
}

Result<int> inspect_banks(const Invocation& invocation) {
  std::vector<std::string> names;
  Flags line(
      invocation, "NAME|NUMBER [NAME|NUMBER...]",
      "Prints all that is known of named and numbered banks, as a JSON array: the host IDs of each bank and\n"
      "the IDs inside, since when it is held, which containers use it, and who held it before.",
      "  berth bank inspect db\n  berth bank inspect 1-3\n");
  line.words("names", names, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::string& name : names) list.push_back(TRY(describe(store.db(), name)));
  print_json(list);
  return 0;
}

Result<int> remove_banks(const Invocation& invocation) {
  std::vector<std::string> names;
  Flags line(
      invocation, "NAME|NUMBER [NAME|NUMBER...]",
      "Frees named and numbered banks. They rest for an hour at least before somebody else gets them. One "
      "that\na container uses stays until the container is removed. Prints what was asked for, a line each.",
      "  berth bank rm db\n  berth bank rm 1-3\n");
  line.words("names", names, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  int status = 0;
  for (const std::string& name : names) {
    const auto remove = [&]() -> Result<> {
      store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
      TRY(ledger::remove_named_banks(store.db(), name));
      TRY(engine::write_store_copy(store));
      return transaction.commit();
    };
    const Result<> removed = remove();
    if (removed) {
      fmt::print("{}\n", name);
      continue;
    }
    // The others are still removed; the status tells that not all were.
    fmt::print(stderr, "{}", render("berth", removed.error()));
    constexpr int kInUse = 2;  // as podman has it for what is in use
    status = removed.error().code == Code::conflict ? kInUse : 1;
  }
  return status;
}

}  // namespace berth::cli
