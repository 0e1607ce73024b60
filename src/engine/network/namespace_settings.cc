#include "engine/network/namespace_settings.h"

#include <algorithm>
#include <array>

namespace berth::engine {

namespace {

// The last group that the kernel takes: half of all of them.
constexpr uint32_t kLastPingingGroup = 2147483647;

// The kernel takes a range only if both its ends are mapped, and compares them as the host's as well
// (ipv4_ping_group_range(), net/ipv4/sysctl_net_ipv4.c).
std::string pinging_groups(const std::vector<runtime::IdExtent>& map) {
  if (map.empty()) return fmt::format("0 {}", kLastPingingGroup);
  const auto [lowest, highest] = std::ranges::minmax_element(map, {}, &runtime::IdExtent::outside);
  const auto last_of = [](const runtime::IdExtent& extent) {
    return std::min(extent.inside + extent.count - 1, kLastPingingGroup);
  };
  if (lowest->inside <= highest->inside) return fmt::format("{} {}", lowest->inside, last_of(*highest));
  // Of a map that turns the order no range has all.
  const auto largest = std::ranges::max_element(map, {}, &runtime::IdExtent::count);
  return fmt::format("{} {}", largest->inside, last_of(*largest));
}

}  // namespace

void add_namespace_settings(runtime::ContainerPlan& plan) {
  if (plan.namespaces.network != runtime::NamespaceUse::own) return;
  const std::array<runtime::Setting, 2> settings{
      {{"net/ipv4/ip_unprivileged_port_start", "0"},
       {"net/ipv4/ping_group_range", pinging_groups(plan.gid_map)}}};
  plan.sysctls.insert(plan.sysctls.begin(), settings.begin(), settings.end());
}

}  // namespace berth::engine
