#include "monitor/network.h"

#include <utility>

#include <fcntl.h>
#include <linux/netlink.h>

#include "base/fault.h"
#include "base/log.h"
#include "net/attach.h"
#include "net/connections.h"
#include "net/ports.h"
#include "sys/file.h"

namespace berth::monitor {

Result<ContainerNetwork> ContainerNetwork::connect(net::NetworkPlan plan, pid_t process) {
  TRY(net::check(plan));
  const sys::UniqueFd space = TRY(sys::open_at(AT_FDCWD, fmt::format("/proc/{}/ns/net", process), O_RDONLY));
  ContainerNetwork network;
  network.ports_ = TRY(net::reserve_ports(plan));
  network.plan_ = std::move(plan);
  for (const net::AttachmentPlan& attachment : network.plan_.attachments)
    TRY(net::attach(attachment, space.get()));
  fault::point("interfaces-made");
  network.published_ = true;
  TRY_CONTEXT(net::publish(network.plan_), "publish the container's ports");
  fault::point("ports-published");
  return network;
}

ContainerNetwork::ContainerNetwork(ContainerNetwork&& other) noexcept
    : plan_(std::exchange(other.plan_, {})),
      published_(std::exchange(other.published_, false)),
      ports_(std::move(other.ports_)),
      rules_(std::move(other.rules_)) {}

ContainerNetwork& ContainerNetwork::operator=(ContainerNetwork&& other) noexcept {
  if (this == &other) return *this;
  unpublish();
  plan_ = std::exchange(other.plan_, {});
  published_ = std::exchange(other.published_, false);
  ports_ = std::move(other.ports_);
  rules_ = std::move(other.rules_);
  return *this;
}

void ContainerNetwork::take_over(net::NetworkPlan plan) {
  plan_ = std::move(plan);
  published_ = true;
}

void ContainerNetwork::unpublish() {
  if (std::exchange(published_, false)) {
    const auto take_away = [&]() -> Result<> {
      rules_ = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
      return net::unpublish(plan_, *rules_);
    };
    const Result<> done = take_away();
    if (!done) log::warn("its addresses are still in the rules: {}", done.error().message);
  }
  ports_.clear();
}

void ContainerNetwork::lead_senders_here() const {
  const Result<> done = net::forget_connections_past(plan_);
  if (!done) log::warn("who sends by UDP already may not reach it: {}", done.error().message);
}

void ContainerNetwork::forget_senders() const {
  const Result<> done = net::forget_connections_of(plan_);
  if (!done) log::warn("who sends by UDP may go on to its address: {}", done.error().message);
}

void ContainerNetwork::detach() {
  for (const net::AttachmentPlan& attachment : plan_.attachments) {
    const Result<> done = net::detach(attachment);
    if (!done) log::warn("interface {} is still there: {}", attachment.link, done.error().message);
  }
}

}  // namespace berth::monitor
