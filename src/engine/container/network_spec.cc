#include "engine/container/network_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/fields.h"

namespace berth::engine {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AttachmentSpec, network, ip, ip6, mac, interface, number,
                                                aliases)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PortSpec, host, host_port, container_port, count, protocol,
                                                chosen)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(HostEntrySpec, name, address)

namespace {

template <typename Spec, typename Visit>
void for_each_member(Spec& spec, Visit visit) {
  visit("attachments", spec.attachments);
  visit("ports", spec.ports);
  visit("publish_all", spec.publish_all);
  visit("exposed", spec.exposed);
  visit("dns", spec.dns);
  visit("searches", spec.searches);
  visit("dns_options", spec.dns_options);
  visit("hosts", spec.hosts);
  visit("no_hosts", spec.no_hosts);
}

}  // namespace

void to_json(nlohmann::json& json, const NetworkSpec& spec) {
  json = nlohmann::json::object();
  for_each_member(spec, [&](const char* name, const auto& member) { json[name] = member; });
}

void from_json(const nlohmann::json& json, NetworkSpec& spec) {
  for_each_member(spec, [&](const char* name, auto& member) {
    if (json.contains(name)) json.at(name).get_to(member);
  });
}

void number_attachment(const std::vector<AttachmentSpec>& others, AttachmentSpec& attachment) {
  const auto any = [&](auto holds) { return std::any_of(others.begin(), others.end(), holds); };
  const auto has_number = [&](const AttachmentSpec& other) { return other.number == attachment.number; };
  for (attachment.number = 0; any(has_number);) ++attachment.number;
  if (!attachment.interface.empty()) return;
  uint32_t number = attachment.number;
  const auto has_name = [&](const AttachmentSpec& other) { return other.interface == attachment.interface; };
  do {
    attachment.interface = fmt::format("eth{}", number++);
  } while (any(has_name));
}

std::string_view network_container(std::string_view network) {
  if (!network.starts_with(kNetworkOfContainer)) return {};
  return network.substr(kNetworkOfContainer.size());
}

bool is_host_name(std::string_view text) {
  constexpr size_t kLongest = 253;
  return !text.empty() && text.size() <= kLongest &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
             std::string_view::npos;
}

Result<PortSpec> parse_exposed(std::string_view text) {
  const auto bad = [&]() -> std::unexpected<Error> {
    return fail(Code::usage,
                "\"{}\" is no port: it is PORT[-PORT][/tcp|udp|sctp], with ports from 1 to 65535",
                printable(text.substr(0, 64)));
  };
  PortSpec port;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) port.protocol = text.substr(slash + 1);
  if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp") return bad();
  const std::string_view range = text.substr(0, slash);
  const size_t dash = range.find('-');
  const auto first = whole_number<uint16_t>(range.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : whole_number<uint16_t>(range.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) return bad();
  port.container_port = *first;
  port.count = static_cast<uint16_t>(*last - *first + 1);
  return port;
}

}  // namespace berth::engine
