// A container's networks from the moment in which it is decided that it starts.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "engine/network/network_leases.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

class StartingNetworks {
 public:
  // Takes addresses and ports, and has the name server know of them before the container can ask it.
  // Code::conflict, with who has what there is none of.
  static Result<StartingNetworks> take(store::Store& store, const store::ContainerRecord& record,
                                       const ContainerSpec& spec, std::vector<std::string>& warnings);
  StartingNetworks(StartingNetworks&& other) noexcept;
  StartingNetworks& operator=(StartingNetworks&&) = delete;
  StartingNetworks(const StartingNetworks&) = delete;
  StartingNetworks& operator=(const StartingNetworks&) = delete;
  // Gives them back unless keep() was called.
  ~StartingNetworks();
  // It has started; they go when its end is recorded.
  void keep() { store_ = nullptr; }

  [[nodiscard]] const std::vector<TakenNetwork>& networks() const { return networks_; }
  // Whether the networks' gateways answer for names.
  [[nodiscard]] bool have_names() const { return have_names_; }

 private:
  StartingNetworks(store::Store& store, std::string id) : store_(&store), id_(std::move(id)) {}
  Result<> announce(const store::ContainerRecord& record, std::vector<std::string>& warnings);
  store::Store* store_;
  std::string id_;
  std::vector<TakenNetwork> networks_;
  bool have_names_ = false;
};

// Gives back what containers have that don't run: somebody was killed while he started them. Those that
// somebody is busy with are left alone.
Result<> recover_leases(store::Store& store);

}  // namespace berth::engine
