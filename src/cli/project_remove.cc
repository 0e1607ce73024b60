// `berth project rm`.
#include "cli/flags.h"
#include "cli/projects.h"
#include "cli/recovered_store.h"
#include "cli/remove_each.h"
#include "config/load.h"
#include "config/policy_checks.h"
#include "engine/ids/id_decision.h"
#include "engine/network/network_admin.h"
#include "engine/recovery/store_copy.h"
#include "engine/remove.h"
#include "ledger/projects.h"

namespace berth::cli {

namespace {

Result<> remove_one(store::Store& store, const std::string& name, bool force) {
  TRY(ledger::find_project(store.db(), name));
  if (force) {
    for (const ledger::User& user : TRY(ledger::containers_of_project(store.db(), name)))
      TRY(engine::kill_and_remove_container(store, user.id));
  }
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  TRY(ledger::remove_project(store.db(), name));
  TRY(engine::remove_networks_of_project(store, name));
  TRY(engine::write_store_copy(store));
  return transaction.commit();
}

}  // namespace

Result<int> remove_projects(const Invocation& invocation) {
  bool force = false;
  bool ignore = false;
  std::vector<std::string> names;
  Flags line(
      invocation, "[flags] NAME [NAME...]",
      "Removes projects. Their banks and their numbers rest for an hour at least before another project "
      "gets\n"
      "them. One that has containers stays, unless --force removes those too, running or not. Volumes "
      "are kept:\n"
      "their files bear the project's IDs still. Prints the names. The exit status is 1 if one is not "
      "there, 2 if\n"
      "one has containers.",
      "  berth project rm shop\n  berth project rm --force shop\n");
  line.flag("-f,--force", force, "Remove its containers too, running or not");
  line.flag("-i,--ignore", ignore, "No error for a project that is not there");
  line.words("names", names, Need::required);
  if (!TRY(line.parse())) return 0;
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  const std::string caller = engine::caller_from_environment().name;
  for (const std::string& name : names) TRY(config::check_project(config, caller, name));
  store::Store store = TRY(open_recovered_store(invocation));
  return remove_each(names, [&](const std::string& name) -> Result<bool> {
    const Result<> removed = remove_one(store, name, force);
    if (!removed && ignore && removed.error().code == Code::not_found) return false;
    if (!removed) return std::unexpected(removed.error());
    return true;
  });
}

}  // namespace berth::cli
