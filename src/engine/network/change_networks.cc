#include "engine/network/change_networks.h"

#include <algorithm>
#include <cerrno>

#include <sched.h>

#include "base/log.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/network/connect.h"
#include "engine/network/name_server.h"
#include "engine/network/network_admin.h"
#include "engine/network/network_leases.h"
#include "net/attach.h"
#include "net/connections.h"
#include "net/ports.h"
#include "sys/file.h"
#include "sys/namespaces.h"

namespace berth::engine {

namespace {

Result<ContainerSpec> bridged_spec(const store::ContainerRecord& record) {
  ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  if (spec.network == kBridgedNetwork) return spec;
  Error error{
      Code::usage, 0,
      fmt::format("container {} was made with --network {}, which can't be changed", record.name,
                  spec.network),
      "Networks come and go with containers that were made with --network bridge or a network's name."};
  return std::unexpected(std::move(error));
}

Result<> set_spec(store::Store& store, const ContainerSpec& spec, store::ContainerRecord& record) {
  record.spec = TRY(to_json(spec));
  store::Statement update = TRY(store.db().prepare("UPDATE containers SET spec = ? WHERE id = ?"));
  return update.bind(1, record.spec).bind(2, record.id).run();
}

// That of the running container; its PID is compared again once it is open.
Result<sys::UniqueFd> network_namespace(const store::Store& store, const LiveStatus& live,
                                        const std::string& id) {
  sys::UniqueFd opened = TRY(sys::open_namespace(fmt::format("/proc/{}/ns/net", live.pid), CLONE_NEWNET));
  const std::optional<LiveStatus> after = live_status(store, id);
  if (after && after->pid == live.pid) return opened;
  return fail(Code::conflict, "the container has just ended");
}

const net::AttachmentPlan* with_interface(const net::NetworkPlan& plan, const std::string& interface) {
  const auto found = std::find_if(plan.attachments.begin(), plan.attachments.end(),
                                  [&](const net::AttachmentPlan& one) { return one.interface == interface; });
  return found == plan.attachments.end() ? nullptr : &*found;
}

// From one plan to the other, which has another attachment more or less. What is published goes by both.
Result<> move_ports(const net::NetworkPlan& before, const net::NetworkPlan& after) {
  TRY(net::unpublish(before));
  TRY(net::publish(after));
  if (const Result<> forgotten = net::forget_connections_past(after); !forgotten)
    log::warn("who sends by UDP already may not reach it: {}", forgotten.error().message);
  return {};
}

// The network that is left may have had the default route, which is now another's.
Result<> hand_routes_on(const store::Store& store, const std::string& id, const net::NetworkPlan& before,
                        const net::NetworkPlan& after) {
  for (const net::AttachmentPlan& attachment : after.attachments) {
    const net::AttachmentPlan* const same = with_interface(before, attachment.interface);
    if (same == nullptr || same->routes == attachment.routes) continue;
    const std::optional<LiveStatus> live = live_status(store, id);
    if (!live) return {};
    const sys::UniqueFd inside = TRY(network_namespace(store, *live, id));
    TRY(net::add_routes(attachment, inside.get()));
  }
  return {};
}

// nullopt: the container does not run, and what it has of its networks is taken away by its record.
Result<std::optional<sys::FileLock>> lock_running(const store::Store& store, const std::string& id) {
  if (!live_status(store, id)) return std::optional<sys::FileLock>();
  Result<sys::FileLock> lock = lock_networks(store, id);
  if (!lock && lock.error().err != ENOENT) return std::unexpected(lock.error());
  if (!lock || !first_process(store, id)) return std::optional<sys::FileLock>();
  return std::optional<sys::FileLock>(std::move(*lock));
}

Result<net::NetworkPlan> plan_of(store::Store& store, const std::string& id, const ContainerSpec& spec) {
  return network_plan(store, id, spec, TRY(networks_of(store.db(), id, spec)));
}

}  // namespace

Result<bool> is_in_between(store::Store& store, const std::string& id) {
  if (first_process(store, id)) return false;
  store::Statement leases =
      TRY(store.db().prepare("SELECT 1 FROM network_attachments WHERE container_id = ? AND mac IS NOT NULL"));
  return leases.bind(1, id).step();
}

Result<> connect_container(store::Store& store, const config::Config& config, AttachmentSpec attachment,
                           store::ContainerRecord& record, bool& network_made) {
  ContainerSpec spec = TRY(bridged_spec(record));
  std::vector<AttachmentSpec>& attachments = spec.networking.attachments;
  const ledger::Network network =
      TRY(network_for_container(store, config, spec.project, attachment.network, network_made));
  attachment.network = network.name;
  const auto same = [&](const AttachmentSpec& other) { return other.network == network.name; };
  if (std::any_of(attachments.begin(), attachments.end(), same))
    return fail(Code::conflict, "container {} is in the network {} already", record.name, network.name);
  if (attachments.size() >= net::kMostAttachments)
    return fail(Code::usage, "a container can be in {} networks at most", net::kMostAttachments);
  const net::NetworkPlan before = TRY(plan_of(store, record.id, spec));
  number_attachment(attachments, attachment);
  attachments.push_back(attachment);
  TRY(ledger::attach_container(store.db(), record.id, network, wish_of(spec, attachment)));
  TRY(set_spec(store, spec, record));
  const std::optional<LiveStatus> live = live_status(store, record.id);
  const std::optional<sys::FileLock> alone = TRY(lock_running(store, record.id));
  if (!live || !alone) return {};
  TRY(ledger::lease_addresses(store.db(), record.id, network, wish_of(spec, attachment)));
  const net::NetworkPlan after = TRY(plan_of(store, record.id, spec));
  const net::AttachmentPlan* const added = with_interface(after, attachment.interface);
  if (added == nullptr) return fail("the network {} has no place in the container's plan", network.name);
  std::vector<std::string> warnings;
  TRY(prepare_bridge(store, added->bridge, warnings));
  for (const std::string& warning : warnings) log::warn("{}", warning);
  const sys::UniqueFd inside = TRY(network_namespace(store, *live, record.id));
  TRY(record_networks_of(store, after));
  TRY(net::attach(*added, inside.get()));
  return move_ports(before, after);
}

Result<> disconnect_container(store::Store& store, std::string_view network, bool force,
                              store::ContainerRecord& record) {
  ContainerSpec spec = TRY(bridged_spec(record));
  std::vector<AttachmentSpec>& attachments = spec.networking.attachments;
  const auto found = std::find_if(attachments.begin(), attachments.end(),
                                  [&](const AttachmentSpec& one) { return one.network == network; });
  if (found == attachments.end()) {
    if (force) return {};
    return fail(Code::not_found, "container {} is not in the network {}", record.name, network);
  }
  const std::vector<TakenNetwork> taken = TRY(networks_of(store.db(), record.id, spec));
  const net::NetworkPlan before = network_plan(store, record.id, spec, taken);
  const std::string interface = found->interface;
  store::Statement id =
      TRY(store.db().prepare("SELECT networks.id FROM network_attachments JOIN networks ON networks.id = "
                             "network_id WHERE container_id = ? AND "
                             "name = ?"));
  if (TRY(id.bind(1, record.id).bind(2, network).step())) {
    const std::string network_id = id.text(0);
    id.reset();
    TRY(ledger::detach_container(store.db(), record.id, network_id));
  }
  attachments.erase(found);
  TRY(set_spec(store, spec, record));
  const net::AttachmentPlan* const gone = with_interface(before, interface);
  const std::optional<sys::FileLock> alone = TRY(lock_running(store, record.id));
  if (gone == nullptr || !alone) return {};
  const net::NetworkPlan after = TRY(plan_of(store, record.id, spec));
  TRY(move_ports(before, after));
  TRY(net::detach(*gone));
  TRY(record_networks_of(store, after));
  return hand_routes_on(store, record.id, before, after);
}

void told_of_networks(store::Store& store) {
  if (const Result<> updated = update_name_server(store); !updated)
    log::warn("containers may not find one another by name: {}", updated.error().message);
}

}  // namespace berth::engine
