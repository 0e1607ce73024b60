// `berth network connect` and `berth network disconnect`.
#include <chrono>
#include <optional>
#include <thread>

#include "cli/flags.h"
#include "cli/network_text.h"
#include "cli/network_values.h"
#include "cli/networks.h"
#include "cli/recovered_store.h"
#include "engine/network/change_networks.h"
#include "engine/recovery/store_copy.h"

namespace berth::cli {

namespace {

// The container as it is in this transaction. Waits 10 s at most for whoever starts it or records its end.
Result<store::ContainerRecord> settled_container(store::Store& store, const std::string& container,
                                                 std::optional<store::Transaction>& transaction) {
  constexpr std::chrono::seconds kPatience{10};
  constexpr std::chrono::milliseconds kPause{10};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    transaction.emplace(TRY(store::Transaction::begin(store.db())));
    store::ContainerRecord record = TRY(store::find_container(store.db(), container));
    if (!TRY(engine::is_in_between(store, record.id))) return record;
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Code::conflict, "another command is starting or ending container {}", record.name);
    transaction.reset();
    std::this_thread::sleep_for(kPause);
  }
}

// One change of a container's networks: the record of it is durable before anybody relies on it.
template <typename Change>
Result<> change(const Invocation& invocation, const std::string& container, Change make) {
  store::Store store = TRY(open_recovered_store(invocation));
  std::optional<store::Transaction> transaction;
  store::ContainerRecord record = TRY(settled_container(store, container, transaction));
  const config::Config config = TRY(config_for_project(record.project));
  bool network_made = false;
  TRY(make(store, config, record, network_made));
  if (network_made) TRY(engine::write_store_copy(store));
  if (!record.remove_on_exit) TRY(engine::write_container_copy(store, record));
  TRY(transaction->commit());
  engine::told_of_networks(store);
  return {};
}

}  // namespace

Result<int> connect_network(const Invocation& invocation) {
  std::string ip;
  std::string ip6;
  std::string mac;
  std::vector<std::string> aliases;
  std::string network;
  std::string container;
  Flags line(
      invocation, "[flags] NETWORK CONTAINER",
      "Puts a container into one more network of its project, at once if it runs.",
      "  berth network connect back web\n  berth network connect --ip 10.99.0.7 --alias db back web\n");
  line.value("--ip", ip, "Its address of IPv4 in the network");
  line.value("--ip6", ip6, "And of IPv6");
  line.value("--mac-address", mac, "The address of its interface");
  line.list("--alias", aliases, "One more name that others in the network know it by");
  line.word("network", network, Need::required);
  line.word("container", container, Need::required);
  if (!TRY(line.parse())) return 0;
  engine::AttachmentSpec attachment{.network = network};
  if (!ip.empty()) attachment.ip = TRY(parse_address("--ip", ip, false));
  if (!ip6.empty()) attachment.ip6 = TRY(parse_address("--ip6", ip6, true));
  if (!mac.empty()) attachment.mac = TRY(parse_mac("--mac-address", mac));
  for (const std::string& alias : aliases)
    attachment.aliases.push_back(TRY(parse_host_name("--alias", alias)));
  TRY(change(invocation, container,
             [&](store::Store& store, const config::Config& config, store::ContainerRecord& record,
                 bool& made) { return engine::connect_container(store, config, attachment, record, made); }));
  return 0;
}

Result<int> disconnect_network(const Invocation& invocation) {
  bool force = false;
  std::string network;
  std::string container;
  Flags line(invocation, "[flags] NETWORK CONTAINER",
             "Takes a container out of a network, at once if it runs.",
             "  berth network disconnect back web\n");
  line.flag("-f,--force", force, "No error if it is not in it");
  line.word("network", network, Need::required);
  line.word("container", container, Need::required);
  if (!TRY(line.parse())) return 0;
  TRY(change(invocation, container,
             [&](store::Store& store, const config::Config&, store::ContainerRecord& record, bool&) {
               return engine::disconnect_container(store, network, force, record);
             }));
  return 0;
}

}  // namespace berth::cli
