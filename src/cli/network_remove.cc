// `berth network rm` and `berth network prune`.
#include "cli/confirm.h"
#include "cli/flags.h"
#include "cli/network_text.h"
#include "cli/networks.h"
#include "cli/prune.h"
#include "cli/recovered_store.h"
#include "cli/remove_each.h"
#include "engine/network/network_admin.h"
#include "engine/recovery/store_copy.h"
#include "engine/remove.h"

namespace berth::cli {

namespace {

Result<> remove_one(store::Store& store, const std::string& project, const std::string& name, bool force) {
  if (force) {
    const ledger::Network network = TRY(ledger::find_network(store.db(), project, name));
    for (const ledger::NetworkUser& user : TRY(ledger::users_of_network(store.db(), network.id)))
      TRY(engine::kill_and_remove_container(store, user.id));
  }
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  const ledger::Network network = TRY(ledger::find_network(store.db(), project, name));
  TRY(engine::remove_network(store, network));
  TRY(engine::write_store_copy(store));
  return transaction.commit();
}

Result<std::vector<ledger::Network>> unused_networks(store::Store& store, const std::string& project,
                                                     std::vector<std::string> filters) {
  filters.emplace_back("dangling=true");
  filters.push_back("project=" + project);
  std::vector<ledger::Network> all = TRY(ledger::list_networks(store.db()));
  std::vector<ledger::Network> unused = TRY(filtered_networks(store.db(), std::move(all), filters));
  std::erase_if(unused,
                [](const ledger::Network& network) { return network.name == ledger::kDefaultNetwork; });
  return unused;
}

Result<> remove_all(store::Store& store, const std::string& project,
                    const std::vector<ledger::Network>& networks) {
  return remove_unused(
      networks, [&](const ledger::Network& network) { return remove_one(store, project, network.id, false); },
      [](const ledger::Network& network) { return network.name; });
}

}  // namespace

Result<> remove_unused_networks(store::Store& store, const PruneFilters& filters) {
  std::vector<ledger::Network> unused = TRY(unused_networks(store, {}, {}));
  std::erase_if(unused, [&](const ledger::Network& network) {
    return !filters.let(network.created_at, network_labels(network));
  });
  return remove_all(store, {}, unused);
}

Result<int> remove_networks(const Invocation& invocation) {
  bool force = false;
  std::string project;
  std::vector<std::string> names;
  Flags line(
      invocation, "[flags] NETWORK [NETWORK...]",
      "Removes networks. Prints their names. The exit status is 1 if one is not there, 2 if a container uses "
      "one.",
      "  berth network rm web\n  berth network rm --force web\n");
  line.flag("-f,--force", force, "Remove the containers that are in them first, running or not");
  line.value("--project", project, kProjectText, {.shown = "NAME"});
  line.words("networks", names, Need::required);
  if (!TRY(line.parse())) return 0;
  TRY(config_for_project(project));
  store::Store store = TRY(open_recovered_store(invocation));
  return remove_each(names, [&](const std::string& name) -> Result<bool> {
    TRY(remove_one(store, project, name, force));
    return true;
  });
}

Result<int> prune_networks(const Invocation& invocation) {
  bool force = false;
  std::string project;
  std::vector<std::string> filters;
  Flags line(invocation, "[flags]", "Removes the networks that no container uses. Prints their names.",
             "  berth network prune --force\n  berth network prune --filter until=24h\n");
  line.list("--filter", filters, "label= or until=");
  line.flag("-f,--force", force, "Do not ask");
  line.value("--project", project, kProjectText, {.shown = "NAME"});
  if (!TRY(line.parse())) return 0;
  TRY(config_for_project(project));
  store::Store store = TRY(open_recovered_store(invocation));
  const std::vector<ledger::Network> unused = TRY(unused_networks(store, project, std::move(filters)));
  std::string consequence = "This removes all networks that no container uses:";
  for (const ledger::Network& network : unused) consequence += "\n  " + network.name;
  if (unused.empty() || (!force && !confirmed(consequence))) return 0;
  TRY(remove_all(store, project, unused));
  return 0;
}

}  // namespace berth::cli
