#include "engine/network/connect.h"

#include <fcntl.h>

#include "base/fault.h"
#include "base/log.h"
#include "engine/container/status.h"
#include "monitor/protocol.h"
#include "net/attach.h"
#include "net/bridge.h"
#include "net/connections.h"
#include "net/ports.h"
#include "net/rules.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// Below the run root. The second is there once the table has been made since the boot: one that was there
// before leads to addresses of containers that are no more.
constexpr const char* kRulesLock = "rules.lock";
constexpr const char* kRulesMade = "rules-made";
constexpr size_t kLargestPlan = size_t{1} << 20;

std::string plan_path(std::string_view id) {
  return container_directory(id) + "/" + monitor::kNetworkFile;
}

// nullopt: it has none, or it is of another version's.
std::optional<net::NetworkPlan> recorded_plan(const store::Store& store, std::string_view id) {
  const Result<std::string> bytes = sys::read_file_at(store.run_root(), plan_path(id), kLargestPlan);
  if (!bytes) return std::nullopt;
  Result<net::NetworkPlan> plan = wire::decode<net::NetworkPlan>(*bytes);
  if (plan && net::check(*plan)) return std::move(*plan);
  log::warn("the record of container {}'s networks can't be read", id);
  return std::nullopt;
}

Result<std::vector<net::NetworkPlan>> recorded_plans(const store::Store& store) {
  std::vector<net::NetworkPlan> plans;
  const Result<sys::UniqueFd> containers =
      sys::open_at(store.run_root(), "containers", O_RDONLY | O_DIRECTORY);
  if (!containers) return plans;
  const std::vector<std::string> ids = TRY(sys::list_dir(containers->get()));
  for (const std::string& id : ids) {
    // Nobody starts or runs it: somebody was killed, and what leads to its addresses would lead to another's.
    if (sys::FileLock::try_existing(store.root(), container_directory(id) + "/" + monitor::kLockFile))
      continue;
    if (std::optional<net::NetworkPlan> plan = recorded_plan(store, id)) plans.push_back(std::move(*plan));
  }
  return plans;
}

// Those that start meanwhile have recorded their plans before they come to their elements, so either these
// are in the new table or they are added here.
Result<> ensure_rules(store::Store& store) {
  const std::string table = net::names_for(store.locations().root).table;
  const auto are_whole = [&]() -> Result<bool> {
    return sys::exists_at(store.run_root(), kRulesMade) && TRY(net::rules_are_whole(table));
  };
  if (TRY(are_whole())) return {};
  const sys::FileLock alone = TRY(sys::FileLock::exclusive(store.run_root(), kRulesLock));
  if (TRY(are_whole())) return {};
  TRY(net::make_rules(table));
  fault::point("rules-made");
  const std::vector<net::NetworkPlan> plans = TRY(recorded_plans(store));
  TRY(net::repair_rules(table, plans));
  return sys::replace_file_at(store.run_root(), kRulesMade, "", 0600, sys::Durability::none);
}

}  // namespace

Result<> prepare_bridge(store::Store& store, const net::BridgePlan& bridge,
                        std::vector<std::string>& warnings) {
  TRY(ensure_rules(store));
  net::HostChanges changes = TRY(net::ensure_bridge(bridge));
  for (std::string& told : changes.told) warnings.push_back(std::move(told));
  return {};
}

Result<> record_networks_of(store::Store& store, const net::NetworkPlan& plan) {
  const std::string path = container_directory(plan.container);
  TRY(sys::ensure_dir_at(store.run_root(), path, 0700));
  const sys::UniqueFd directory =
      TRY(sys::open_at(store.run_root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return sys::replace_file_at(directory.get(), monitor::kNetworkFile, wire::encode(plan), 0600,
                              sys::Durability::none);
}

Result<> connect_networks(store::Store& store, sys::Channel& monitor, const net::NetworkPlan& plan,
                          std::vector<std::string>& warnings) {
  if (plan.attachments.empty()) return {};
  for (const net::AttachmentPlan& attachment : plan.attachments)
    TRY(prepare_bridge(store, attachment.bridge, warnings));
  TRY(record_networks_of(store, plan));
  fault::point("networks-recorded");
  return monitor.send(monitor::pack_value(monitor::Kind::network, plan));
}

Result<sys::FileLock> lock_networks(const store::Store& store, std::string_view id) {
  return sys::FileLock::exclusive(store.run_root(),
                                  fmt::format("{}/{}", container_directory(id), monitor::kNetworkLock));
}

Result<> disconnect_networks(store::Store& store, std::string_view id) {
  if (!sys::exists_at(store.run_root(), plan_path(id))) return {};
  const sys::FileLock alone = TRY(lock_networks(store, id));
  const std::optional<net::NetworkPlan> plan = recorded_plan(store, id);
  if (!plan) return {};
  TRY(net::unpublish(*plan));
  if (const Result<> forgotten = net::forget_connections_of(*plan); !forgotten)
    log::warn("who sends by UDP may go on to its address: {}", forgotten.error().message);
  for (const net::AttachmentPlan& attachment : plan->attachments) TRY(net::detach(attachment));
  fault::point("networks-taken-away");
  return sys::remove_tree_at(store.run_root(), plan_path(id));
}

Result<> repair_networks(store::Store& store) {
  if (!sys::exists_at(store.run_root(), kRulesLock)) return {};
  return ensure_rules(store);
}

}  // namespace berth::engine
