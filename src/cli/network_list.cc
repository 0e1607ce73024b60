// `berth network ls`, `berth network inspect` and `berth network exists`.
#include <algorithm>

#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/network_text.h"
#include "cli/networks.h"
#include "cli/print_list.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/template_rows.h"
#include "config/load.h"
#include "config/policy_checks.h"
#include "engine/ids/id_decision.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShortId = 12;

// Those that the caller may know of: another project's are not told, not even by their names.
Result<std::vector<ledger::Network>> visible(store::Store& store, const config::Config& config) {
  std::vector<ledger::Network> networks = TRY(ledger::list_networks(store.db()));
  const std::string caller = engine::caller_from_environment().name;
  std::erase_if(networks, [&](const ledger::Network& network) {
    return !network.project.empty() && !config::check_project(config, caller, network.project);
  });
  return networks;
}

void print_networks(const std::vector<ledger::Network>& networks, bool heading, bool whole_ids) {
  const bool projects = std::any_of(networks.begin(), networks.end(),
                                    [](const ledger::Network& network) { return !network.project.empty(); });
  std::vector<std::vector<std::string>> lines;
  if (heading) {
    lines.push_back({"NETWORK ID", "NAME", "DRIVER"});
    if (projects) lines.back().emplace_back("PROJECT");
  }
  for (const ledger::Network& network : networks) {
    lines.push_back({whole_ids ? network.id : network.id.substr(0, kShortId), network.name, "bridge"});
    if (projects) lines.back().push_back(network.project);
  }
  fmt::print("{}", table(lines));
}

}  // namespace

Result<int> list_networks(const Invocation& invocation) {
  std::vector<std::string> filters;
  std::string format;
  std::string project;
  bool no_heading = false;
  bool quiet = false;
  bool whole_ids = false;
  Flags line(invocation, "[flags]", "Lists networks. The network bridge is made when it is used first.",
             "  berth network ls\n  berth network ls --filter dangling=true -q\n  berth network ls --project "
             "shop\n");
  line.list("-f,--filter", filters, "name=, id=, label=, driver=, project=, dangling= or until=");
  line.value("--format", format, "json, or a template: \"{{.Name}}: {{.NetworkInterface}}\"");
  line.flag("-n,--noheading", no_heading, "Print no heading");
  line.flag("--no-trunc", whole_ids, "Print whole IDs");
  line.value("--project", project, "Only this project's", {.shown = "NAME"});
  line.flag("-q,--quiet", quiet, "Print only names");
  if (!TRY(line.parse())) return 0;
  const config::Config config = TRY(config_for_project(project));
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<ledger::Network> networks = TRY(visible(store, config));
  if (!project.empty()) filters.push_back("project=" + project);
  networks = TRY(filtered_networks(store.db(), std::move(networks), filters));
  const auto names = [&] {
    for (const ledger::Network& network : networks) fmt::print("{}\n", network.name);
  };
  const auto rows = [&]() -> Result<Json> {
    Json list = Json::array();
    for (const ledger::Network& network : networks) {
      if (format == "json") {
        list.push_back(describe_network(network, TRY(ledger::lease_holders(store.db(), network.id))));
      } else {
        list.push_back(network_row(network, TRY(ledger::users_of_network(store.db(), network.id)).size()));
      }
    }
    return list;
  };
  TRY(print_list({quiet, format, !no_heading},
                 {names, rows, [&] { print_networks(networks, !no_heading, whole_ids); }}));
  return 0;
}

Result<int> inspect_networks(const Invocation& invocation) {
  std::string format;
  std::string project;
  std::vector<std::string> names;
  Flags line(invocation, "[flags] NETWORK [NETWORK...]",
             "Prints all that is known of networks, with the running containers in them, as a JSON array.",
             "  berth network inspect web\n  berth network inspect --format {{.NetworkInterface}} web\n");
  line.value("-f,--format", format, "json, or a template");
  line.value("--project", project, kProjectText, {.shown = "NAME"});
  line.words("networks", names, Need::required);
  if (!TRY(line.parse())) return 0;
  TRY(config_for_project(project));
  store::Store store = TRY(open_recovered_store(invocation));
  const bool with_template = !format.empty() && format != "json";
  Json rows = Json::array();
  std::optional<Error> missing;
  for (const std::string& name : names) {
    Result<ledger::Network> network = ledger::find_network(store.db(), project, name);
    if (!network) {
      if (!missing) missing = std::move(network.error());
      continue;
    }
    const std::vector<ledger::LeaseHolder> holders = TRY(ledger::lease_holders(store.db(), network->id));
    rows.push_back(describe_network(*network, holders));
  }
  if (with_template) {
    TRY(print_template(rows, format, true));
  } else {
    print_json(rows);
  }
  // The others are shown all the same.
  if (missing) return std::unexpected(std::move(*missing));
  return 0;
}

Result<int> network_exists(const Invocation& invocation) {
  std::string project;
  std::string name;
  Flags line(invocation, "[flags] NETWORK",
             "The exit status is 0 if there is such a network and 1 if there is none.",
             "  berth network exists web && echo yes\n");
  line.value("--project", project, kProjectText, {.shown = "NAME"});
  line.word("network", name, Need::required);
  if (!TRY(line.parse())) return 0;
  TRY(config_for_project(project));
  store::Store store = TRY(open_store(invocation));
  const Result<ledger::Network> network = ledger::find_network(store.db(), project, name);
  if (network) return 0;
  if (network.error().code == Code::not_found) return 1;
  return std::unexpected(network.error());
}

}  // namespace berth::cli
