// A container's networks, as long as its monitor has them.
#pragma once

#include <optional>
#include <vector>

#include <sys/types.h>

#include "net/plan.h"
#include "sys/netlink.h"
#include "sys/unique_fd.h"

namespace berth::monitor {

// What is in the kernel for a container's networks: pairs of interfaces, elements of the table, sockets that
// keep its ports. The interfaces go with the container's processes, some milliseconds after them, and the
// rest with the object; of a monitor that is killed, the engine takes it away.
class ContainerNetwork {
 public:
  // `process` is in the container's network namespace, which is its own. After an error nothing is left.
  static Result<ContainerNetwork> connect(net::NetworkPlan plan, pid_t process);
  ContainerNetwork() = default;  // of a container that has none
  ContainerNetwork(ContainerNetwork&& other) noexcept;
  ContainerNetwork& operator=(ContainerNetwork&& other) noexcept;
  ContainerNetwork(const ContainerNetwork&) = delete;
  ContainerNetwork& operator=(const ContainerNetwork&) = delete;
  ~ContainerNetwork() { unpublish(); }

  // Somebody has changed the networks of the running container.
  void take_over(net::NetworkPlan plan);

  // Nothing leads to its addresses and ports any longer, so somebody else may have them. It comes before
  // anybody hears that the container has ended.
  void unpublish();
  // Who has never stopped sending by UDP is led here from now on, and after the end no longer. Milliseconds,
  // and so after whoever waits has heard of the start and of the end.
  void lead_senders_here() const;
  void forget_senders() const;
  // Takes the interfaces away from whoever else is in the container's namespace, for its addresses are not
  // theirs. That makes the kernel wait for longer, with everybody who changes an interface behind it.
  void detach();

 private:
  net::NetworkPlan plan_;
  bool published_ = false;
  std::vector<sys::UniqueFd> ports_;
  std::optional<sys::NetlinkSocket> rules_;  // ports.h has why it stays open
};

}  // namespace berth::monitor
