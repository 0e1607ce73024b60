// `berth bank ls`.
#include <algorithm>

#include "cli/bank_text.h"
#include "cli/banks.h"
#include "cli/flags.h"
#include "cli/print_list.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/times.h"
#include "ledger/bank_numbers.h"

namespace berth::cli {

namespace {

struct ListFlags {
  bool all = false;
  bool quiet = false;
  bool no_heading = false;
  std::string format = "table";
};

std::string ago(int64_t seconds) {
  return time_since(std::chrono::seconds(seconds)) + " ago";
}

std::string since_text(const ledger::BankRecord& record) {
  return record.owner ? ago(record.since) : fmt::format("freed {}", ago(record.freed_at));
}

std::string users_text(const BankView& view) {
  std::vector<std::string> names;
  for (const ledger::User& user : view.users) names.push_back(user.name);
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ","));
}

void print_table(const std::vector<BankView>& views, bool no_heading) {
  std::vector<std::vector<std::string>> lines;
  if (!no_heading) lines.push_back({"BANK", "HOST IDS", "KIND", "HELD BY", "SINCE", "USED BY", "BEFORE"});
  for (const BankView& view : views) {
    const ledger::BankRecord& record = view.record;
    lines.push_back({std::to_string(ledger::number_of(record.bank)), host_ids(record.bank),
                     record.owner ? record.owner->kind : "resting", record.owner ? view.owner : "-",
                     since_text(record), users_text(view), view.before.empty() ? "-" : view.before});
  }
  fmt::print("{}", table(lines));
}

nlohmann::ordered_json json_rows(const std::vector<BankView>& views) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const BankView& view : views) rows.push_back(bank_json(view));
  return rows;
}

// By number, those that rest among the others.
Result<std::vector<BankView>> views_of(store::Database& db, bool all) {
  std::vector<ledger::BankRecord> records = TRY(ledger::held_banks(db));
  if (all) {
    std::vector<ledger::BankRecord> resting = TRY(ledger::resting_banks(db));
    records.insert(records.end(), resting.begin(), resting.end());
    std::sort(records.begin(), records.end(),
              [](const auto& left, const auto& right) { return left.bank < right.bank; });
  }
  std::vector<BankView> views;
  for (ledger::BankRecord& record : records) views.push_back(TRY(view_bank(db, std::move(record))));
  return views;
}

}  // namespace

Result<int> list_banks(const Invocation& invocation) {
  ListFlags flags;
  Flags line(
      invocation, "[flags]",
      "Lists the banks of host IDs that somebody holds: their number, their IDs, who holds them, since "
      "when,\n"
      "which containers use them beside their owner, and who held them before. A bank is 65,536 UIDs and "
      "the\n"
      "same GIDs; numbers count from the pool's first bank, which is 0.",
      "  berth bank ls\n"
      "  berth bank ls --all                       # and those that were freed: who had them until when\n"
      "  berth bank ls --format '{{.First}} {{.Kind}} {{.Owner}}'\n"
      "  berth bank ls --format json\n");
  line.flag("-a,--all", flags.all, "Those that nobody holds now and somebody held before as well");
  line.flag("-q,--quiet", flags.quiet, "Numbers only");
  line.flag("-n,--noheading", flags.no_heading, "Print no heading");
  line.value("--format", flags.format, "table, json, or a template: \"{{.Number}} {{.Owner}}\"");
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  const std::vector<BankView> views = TRY(views_of(store.db(), flags.all));
  const auto names = [&] {
    for (const BankView& view : views) fmt::print("{}\n", ledger::number_of(view.record.bank));
  };
  TRY(print_list({flags.quiet, flags.format, !flags.no_heading},
                 {names, [&] { return json_rows(views); }, [&] { print_table(views, flags.no_heading); }}));
  return 0;
}

}  // namespace berth::cli
