#include "engine/network/start_networks.h"

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "base/log.h"
#include "engine/container/status.h"
#include "engine/network/connect.h"
#include "engine/network/name_server.h"
#include "engine/network/network_admin.h"
#include "monitor/protocol.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// Below the run root: that there is no name server has been said since the boot.
constexpr const char* kSaidSo = "no-name-server";

bool wants_names(const std::vector<TakenNetwork>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [](const TakenNetwork& taken) { return taken.network.dns; });
}

void say_that_names_are_missing(const store::Store& store, std::vector<std::string>& warnings) {
  if (sys::exists_at(store.run_root(), kSaidSo)) return;
  warnings.emplace_back(kNoNameServer);
  // Said again is said twice, and no more.
  [[maybe_unused]] const Result<> noted =
      sys::replace_file_at(store.run_root(), kSaidSo, "", 0600, sys::Durability::none);
}

Result<> release(store::Store& store, const std::string& id) {
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  TRY(ledger::release_leases(store.db(), id));
  return transaction.commit();
}

}  // namespace

Result<StartingNetworks> StartingNetworks::take(store::Store& store, const store::ContainerRecord& record,
                                                const ContainerSpec& spec,
                                                std::vector<std::string>& warnings) {
  // Of a start that was killed before anybody could call it one: what leads to the addresses of that time is
  // found by its record alone, which is about to be written anew.
  TRY(disconnect_networks(store, record.id));
  StartingNetworks starting(store, record.id);
  starting.networks_ = TRY(take_leases_now(store.db(), record.id, spec));
  fault::point("addresses-taken");
  if (wants_names(starting.networks_)) TRY(starting.announce(record, warnings));
  if (starting.networks_.empty()) starting.keep();
  return starting;
}

StartingNetworks::StartingNetworks(StartingNetworks&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      id_(std::move(other.id_)),
      networks_(std::move(other.networks_)),
      have_names_(other.have_names_) {}

StartingNetworks::~StartingNetworks() {
  if (store_ == nullptr) return;
  // What leads to its addresses would lead to whoever has them next.
  if (const Result<> done = disconnect_networks(*store_, id_); !done)
    log::warn("its networks are not as they should be until the next command: {}", done.error().message);
  if (const Result<> released = release(*store_, id_); !released)
    log::warn("its addresses are held until the next command: {}", released.error().message);
  if (have_names_) forget_names(*store_);
}

// The server listens at the bridges' addresses, so these have to be there first.
Result<> StartingNetworks::announce(const store::ContainerRecord& record,
                                    std::vector<std::string>& warnings) {
  if (!has_name_server()) {
    say_that_names_are_missing(*store_, warnings);
    return {};
  }
  for (const TakenNetwork& taken : networks_) {
    if (taken.network.dns)
      TRY_CONTEXT(prepare_bridge(*store_, bridge_plan(taken.network), warnings), "make the network {}",
                  taken.network.name);
  }
  const Result<> updated = update_name_server(*store_);
  have_names_ = updated.has_value();
  // The network itself works without.
  if (!updated) {
    warnings.push_back(
        fmt::format("{} can't find others by name, nor they it: {}", record.name, updated.error().message));
  }
  return {};
}

Result<> recover_leases(store::Store& store) {
  bool changed = false;
  for (const std::string& id : TRY(ledger::holders_not_running(store.db()))) {
    const Result<sys::FileLock> lock =
        sys::FileLock::try_existing(store.root(), container_directory(id) + "/" + monitor::kLockFile);
    if (!lock || live_status(store, id)) continue;
    TRY(disconnect_networks(store, id));
    TRY(release(store, id));
    changed = true;
  }
  if (changed) forget_names(store);
  return {};
}

}  // namespace berth::engine
