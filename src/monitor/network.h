// A container's networks, as long as its monitor has them.
#pragma once

#include <vector>

#include <sys/types.h>

#include "net/plan.h"
#include "sys/unique_fd.h"

namespace berth::monitor {

// What is in the kernel for a container's networks: pairs of interfaces, elements of the table, sockets that
// keep its ports. All goes with the object; of one that is killed, the engine takes away what is left (the
// links go with the container's processes).
class ContainerNetwork {
 public:
  // `process` is in the container's network namespace, which is its own. After an error nothing is left.
  static Result<ContainerNetwork> connect(net::NetworkPlan plan, pid_t process);
  ContainerNetwork() = default;  // of a container that has none
  ContainerNetwork(ContainerNetwork&& other) noexcept;
  ContainerNetwork& operator=(ContainerNetwork&& other) noexcept;
  ContainerNetwork(const ContainerNetwork&) = delete;
  ContainerNetwork& operator=(const ContainerNetwork&) = delete;
  ~ContainerNetwork() { take_away(); }

  // Nothing leads to its addresses and ports any longer, so somebody else may have them. It comes before
  // anybody hears that the container has ended, and takes some microseconds.
  void unpublish();
  // And the interfaces go.
  void take_away();

 private:
  net::NetworkPlan plan_;
  bool published_ = false;
  std::vector<sys::UniqueFd> ports_;
};

}  // namespace berth::monitor
