#include "net/plan.h"

#include <algorithm>
#include <set>

namespace berth::net {

namespace {

constexpr std::string_view kDefaultRoot = "/var/lib/berth";

// FNV-1a, folded to 24 bits: there are a few stores on a host, not thousands.
uint32_t short_hash(std::string_view text) {
  uint32_t hash = 2166136261;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return (hash >> 24) ^ (hash & 0xFFFFFF);
}

// Of a pair's end on the host.
constexpr std::string_view kHostLink = "veth";
constexpr size_t kIdDigits = 10;
constexpr std::string_view kAttachmentDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
static_assert(kAttachmentDigits.size() == kMostAttachments);

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_identifier(std::string_view name, size_t longest) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= longest && std::ranges::all_of(name, allowed) &&
         name.front() >= 'a' && name.front() <= 'z';
}

Result<> check_bridge(const BridgePlan& bridge) {
  if (!is_interface_name(bridge.name))
    return fail(Code::refused, "\"{}\" is no name for a bridge", printable(bridge.name));
  constexpr uint32_t kSmallestMtu = 68;  // RFC 791; of v6 the kernel says so itself
  constexpr uint32_t kLargestMtu = 65535;
  if (bridge.mtu != 0 && (bridge.mtu < kSmallestMtu || bridge.mtu > kLargestMtu))
    return fail(Code::refused, "an MTU is a number from {} to {}, not {}", kSmallestMtu, kLargestMtu,
                bridge.mtu);
  std::set<int> families;
  for (const InterfaceAddress& gateway : bridge.gateways) {
    if (gateway.prefix > gateway.address.bits() || !families.insert(gateway.address.family()).second)
      return fail(Code::refused, "bridge {} can't have the addresses that are planned for it", bridge.name);
  }
  return {};
}

Result<> check_ports(const AttachmentPlan& plan, size_t& total) {
  constexpr uint32_t kPorts = 65536;
  for (const PublishedPort& port : plan.ports) {
    if (port.count == 0 || port.host_port == 0 || port.container_port == 0 ||
        uint32_t{port.host_port} + port.count > kPorts || uint32_t{port.container_port} + port.count > kPorts)
      return fail(Code::refused, "{} ports from {} to {} are no range of ports", port.count, port.host_port,
                  port.container_port);
    total += port.count;
  }
  if (total > kMostPorts) return fail(Code::refused, "a container publishes at most {} ports", kMostPorts);
  return {};
}

Result<> check_attachment(const AttachmentPlan& plan) {
  TRY(check_bridge(plan.bridge));
  for (const std::string& name : {plan.interface, plan.link}) {
    if (!is_interface_name(name))
      return fail(Code::refused, "\"{}\" is no name for an interface", printable(name));
  }
  if (!MacAddress::parse(plan.mac.text()))
    return fail(Code::refused, "{} is no address for an interface", plan.mac.text());
  constexpr size_t kMostAddresses = 16;
  constexpr size_t kMostRoutes = 256;
  if (plan.addresses.size() > kMostAddresses || plan.routes.size() > kMostRoutes)
    return fail(Code::refused, "interface {} has too many addresses or routes", plan.interface);
  for (const auto& [address, prefix] : plan.addresses) {
    if (prefix > address.bits())
      return fail(Code::refused, "{}/{} is no address in a network", address.text(), prefix);
  }
  for (const Route& route : plan.routes) {
    const Subnet& to = route.destination;
    if (to.prefix() > to.first().bits() || to.is_v6() != route.gateway.is_v6())
      return fail(Code::refused, "{} is no route's destination", to.text());
  }
  return {};
}

}  // namespace

StoreNames names_for(std::string_view root) {
  if (root == kDefaultRoot) return {"berth", "berth"};
  const uint32_t hash = short_hash(root);
  return {fmt::format("berth-{:06x}", hash), fmt::format("b{:06x}-", hash)};
}

std::string bridge_name(const StoreNames& names, uint32_t number) {
  return names.bridge_prefix + std::to_string(number);
}

std::string host_link_name(std::string_view container, size_t number) {
  return fmt::format("{}{}{}", kHostLink, container.substr(0, kIdDigits), kAttachmentDigits.at(number));
}

bool is_host_link_name(std::string_view name) {
  if (name.size() != kHostLink.size() + kIdDigits + 1 || !name.starts_with(kHostLink)) return false;
  return std::ranges::all_of(name.substr(kHostLink.size(), kIdDigits), is_hex_digit) &&
         kAttachmentDigits.find(name.back()) != std::string_view::npos;
}

bool is_interface_name(std::string_view name) {
  const auto allowed = [](char c) { return c > ' ' && c < 0x7F && c != '/' && c != ':' && c != '%'; };
  return !name.empty() && name.size() <= kLongestInterfaceName && name != "." && name != ".." &&
         std::ranges::all_of(name, allowed);
}

Result<> check(const NetworkPlan& plan) {
  constexpr size_t kLongestTable = 64;
  constexpr size_t kLongestId = 64;
  if (!is_identifier(plan.table, kLongestTable))
    return fail(Code::refused, "\"{}\" is no name for a table", printable(plan.table));
  if (plan.container.empty() || plan.container.size() > kLongestId ||
      !std::ranges::all_of(plan.container, is_hex_digit))
    return fail(Code::refused, "\"{}\" is no container's ID", printable(plan.container));
  if (plan.attachments.size() > kMostAttachments)
    return fail(Code::refused, "a container is in at most {} networks", kMostAttachments);
  size_t ports = 0;
  for (const AttachmentPlan& attachment : plan.attachments) {
    TRY(check_attachment(attachment));
    TRY(check_ports(attachment, ports));
  }
  return {};
}

}  // namespace berth::net
