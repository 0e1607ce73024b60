#include "net/attach.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>

#include "base/fault.h"
#include "base/log.h"
#include "net/links.h"
#include "sys/file.h"
#include "sys/netlink.h"

namespace berth::net {

namespace {

// A socket of another network namespace than the caller's.
Result<sys::NetlinkSocket> open_inside(int network_namespace) {
  const sys::UniqueFd own = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY));
  if (::setns(network_namespace, CLONE_NEWNET) != 0)
    return fail_errno(errno, "enter the container's network namespace");
  Result<sys::NetlinkSocket> socket = sys::NetlinkSocket::open(NETLINK_ROUTE);
  if (::setns(own.get(), CLONE_NEWNET) != 0)
    return fail_errno(errno, "leave the container's network namespace");
  return socket;
}

Result<sys::NetlinkAnswer> make_pair(sys::NetlinkSocket& host, const AttachmentPlan& plan,
                                     int network_namespace) {
  const std::optional<Link> bridge = TRY(find_link(host, plan.bridge.name));
  if (!bridge) return fail(Code::not_found, "there is no bridge {}", plan.bridge.name);
  sys::NetlinkRequests requests;
  request_pair(requests, plan, bridge->index, network_namespace);
  const std::vector<sys::NetlinkAnswer> answers = TRY(host.exchange(requests));
  const auto failed = std::ranges::find_if(answers, [](const auto& answer) { return answer.err != 0; });
  return failed == answers.end() ? answers.front() : *failed;
}

Result<> set_addresses(sys::NetlinkSocket& inside, const AttachmentPlan& plan) {
  const std::optional<Link> link = TRY(find_link(inside, plan.interface));
  if (!link) return fail("{} has gone out of the container", plan.interface);
  sys::NetlinkRequests requests;
  request_up(requests, plan.interface, has_v6(plan.addresses));
  for (const InterfaceAddress& address : plan.addresses)
    request_address(requests, address, link->index, false);
  for (const Route& route : plan.routes) request_route(requests, route, link->index);
  return inside.carry_out(requests, fmt::format("give {} its addresses and routes", plan.interface));
}

}  // namespace

Result<> attach(const AttachmentPlan& plan, int network_namespace) {
  sys::NetlinkSocket host = TRY(sys::NetlinkSocket::open(NETLINK_ROUTE));
  sys::NetlinkAnswer made = TRY(make_pair(host, plan, network_namespace));
  if (made.err == EEXIST && TRY(find_link(host, plan.link))) {
    // Its namespace is on its way out: the kernel takes it apart some time after the last process.
    log::debug("{} is there from an earlier start", plan.link);
    TRY(detach(plan));
    made = TRY(make_pair(host, plan, network_namespace));
  }
  if (made.err != 0) {
    TRY(detach(plan));
    return sys::fail_answer(made, fmt::format("connect {} to {}", plan.interface, plan.bridge.name));
  }
  fault::point("pair-made");
  const auto set = [&]() -> Result<> {
    sys::NetlinkSocket inside = TRY(open_inside(network_namespace));
    return set_addresses(inside, plan);
  };
  if (Result<> done = set(); !done) {
    TRY(detach(plan));
    return done;
  }
  return {};
}

Result<> add_routes(const AttachmentPlan& plan, int network_namespace) {
  if (plan.routes.empty()) return {};
  sys::NetlinkSocket inside = TRY(open_inside(network_namespace));
  const std::optional<Link> link = TRY(find_link(inside, plan.interface));
  if (!link) return fail("{} has gone out of the container", plan.interface);
  sys::NetlinkRequests requests;
  for (const Route& route : plan.routes) request_route(requests, route, link->index);
  for (const sys::NetlinkAnswer& answer : TRY(inside.exchange(requests))) {
    if (answer.err != 0 && answer.err != EEXIST)
      return sys::fail_answer(answer, fmt::format("give {} its routes", plan.interface));
  }
  return {};
}

Result<> detach(const AttachmentPlan& plan) {
  sys::NetlinkSocket host = TRY(sys::NetlinkSocket::open(NETLINK_ROUTE));
  return delete_link(host, plan.link);
}

}  // namespace berth::net
