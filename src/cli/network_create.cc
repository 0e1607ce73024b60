// `berth network create`.
#include "base/fields.h"
#include "base/log.h"
#include "cli/flag_values.h"
#include "cli/flags.h"
#include "cli/network_text.h"
#include "cli/networks.h"
#include "engine/network/name_server.h"
#include "engine/network/network_admin.h"
#include "engine/recovery/store_copy.h"
#include "ledger/projects.h"

namespace berth::cli {

namespace {

constexpr uint32_t kLeastMtu = 68;  // RFC 791
constexpr uint32_t kLargestMtu = 65535;

Result<> take_options(const std::vector<std::string>& options, engine::NewNetwork& wanted) {
  for (const std::string& text : options) {
    const engine::Pair pair = TRY(parse_pair("--opt", text));
    if (pair.key != "mtu" && pair.key != "com.docker.network.driver.mtu")
      return fail(Code::usage, "--opt {}: there is mtu=BYTES", text);
    const auto mtu = whole_number<uint32_t>(pair.value);
    if (!mtu || *mtu < kLeastMtu || *mtu > kLargestMtu)
      return fail(Code::usage, "--opt {}: it is a number from {} to {}", text, kLeastMtu, kLargestMtu);
    wanted.mtu = *mtu;
  }
  return {};
}

Result<ledger::Network> make(const Invocation& invocation, const config::Config& config,
                             const engine::NewNetwork& wanted) {
  store::Store store = TRY(open_store(invocation));
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  if (!wanted.project.empty()) TRY(ledger::find_project(store.db(), wanted.project));
  ledger::Network network = TRY(engine::create_network(store, config, wanted));
  TRY(engine::write_store_copy(store));
  TRY(transaction.commit());
  return network;
}

}  // namespace

Result<int> create_network(const Invocation& invocation) {
  engine::NewNetwork wanted;
  std::string driver = "bridge";
  std::vector<std::string> options;
  std::vector<std::string> labels;
  bool no_dns = false;
  bool ignore = false;
  Flags line(
      invocation, "[flags] NAME",
      "Makes a network and prints its name. Its containers reach one another, by name as well, and no others "
      "do; unless\n"
      "it is internal they reach what the host reaches. Without --subnet a part of the configured pools is "
      "taken "
      "that no\n"
      "other network has and the host has no route to.",
      "  berth network create web\n"
      "  berth network create --subnet 10.99.0.0/24 --gateway 10.99.0.254 web\n"
      "  berth network create --internal --ipv6 --label tier=db data\n"
      "  berth network create --project shop front\n");
  line.list("--subnet", wanted.subnets, "ADDRESS/PREFIX; one of IPv4 and one of IPv6 at most");
  line.list("--gateway", wanted.gateways, "The host's address in the network (the subnet's first)");
  line.list("--ip-range", wanted.ranges,
            "ADDRESS/PREFIX or ADDRESS-ADDRESS, what containers get of the subnet");
  line.flag("--ipv6", wanted.ipv6, "Give it a subnet of IPv6 as well");
  line.flag("--internal", wanted.internal, "No way out, and none in");
  line.flag("--disable-dns", no_dns, "Containers don't find one another by name");
  line.value("-d,--driver", driver, "bridge, the only one there is", {.choices = {"bridge"}});
  line.list("-o,--opt", options, "mtu=BYTES");
  line.value("--interface-name", wanted.bridge, "What its interface on the host is called");
  line.list("--label", labels, "KEY=VALUE");
  line.value("--project", wanted.project,
             "Make it a network of this project, whose containers alone can be in it", {.shown = "NAME"});
  line.flag("--ignore", ignore, "No error if it is there already");
  line.word("name", wanted.name, Need::required);
  if (!TRY(line.parse())) return 0;
  wanted.dns = !no_dns;
  TRY(take_options(options, wanted));
  for (const std::string& text : labels) {
    const engine::Pair pair = TRY(parse_pair("--label", text));
    wanted.labels[pair.key] = pair.value;
  }
  const config::Config config = TRY(config_for_project(wanted.project));
  Result<ledger::Network> made = make(invocation, config, wanted);
  const bool there = !made && ignore && made.error().code == Code::conflict;
  if (!made && !there) {
    return std::unexpected(std::move(made).error().context(
        fmt::format("create network {}", printable(wanted.name.substr(0, 128)))));
  }
  if (wanted.dns && !engine::has_name_server()) log::warn("{}", engine::kNoNameServer);
  if (made) {
    for (const std::string& warning : engine::warnings_of_networks({*made})) log::warn("{}", warning);
  }
  fmt::print("{}\n", wanted.name);
  return 0;
}

}  // namespace berth::cli
