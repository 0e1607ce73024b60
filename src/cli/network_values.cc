#include "cli/network_values.h"

#include <algorithm>

#include "base/fields.h"
#include "cli/flag_values.h"
#include "ledger/networks.h"
#include "net/plan.h"

namespace berth::cli {

namespace {

constexpr size_t kShown = 100;  // of a value that is wrong

std::unexpected<Error> bad_value(std::string_view flag, std::string_view text, std::string_view why) {
  return fail(Code::usage, "{} {}: {}", flag, printable(text.substr(0, kShown)), why);
}

Result<> take_option(std::string_view text, std::string_view option, engine::AttachmentSpec& attachment) {
  const size_t equals = option.find('=');
  const std::string_view key = option.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : option.substr(equals + 1);
  if (key == "ip" || key == "ip6") {
    // As podman has it, "ip" takes both.
    const std::string address = TRY(parse_any_address("--network ip=", value));
    (address.find(':') == std::string::npos ? attachment.ip : attachment.ip6) = address;
  } else if (key == "mac") {
    attachment.mac = TRY(parse_mac("--network mac=", value));
  } else if (key == "alias") {
    attachment.aliases.push_back(TRY(parse_host_name("--network alias=", value)));
  } else if (key == "interface_name") {
    if (!net::is_interface_name(value))
      return bad_value("--network interface_name=", value, "no interface can have that name");
    attachment.interface = value;
  } else {
    return bad_value(
        "--network", text,
        "behind the name comes :ip=ADDRESS, mac=ADDRESS, alias=NAME or interface_name=NAME, with "
        "commas between");
  }
  return {};
}

// "8000-8010" as the first and how many; empty is 0.
struct Ports {
  uint16_t first = 0;
  uint16_t count = 1;
};
std::optional<Ports> parse_ports(std::string_view text) {
  if (text.empty()) return Ports{0, 0};
  const Result<engine::PortSpec> range = engine::parse_exposed(text);
  if (!range || text.find('/') != std::string_view::npos) return std::nullopt;
  return Ports{range->container_port, range->count};
}

}  // namespace

Result<NetworkValue> parse_network(std::string_view text) {
  if (!engine::network_container(text).empty()) return NetworkValue{std::string(text)};
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (name == engine::kNoNetwork || name == engine::kHostNetwork) {
    if (colon == std::string_view::npos) return NetworkValue{std::string(name)};
    return bad_value("--network", text, fmt::format("{} has no options", name));
  }
  // Docker's word for what it does by default.
  NetworkValue value{std::string(engine::kBridgedNetwork)};
  value.attachment.network = name == "default" ? ledger::kDefaultNetwork : name;
  TRY_CONTEXT(ledger::check_network_name(value.attachment.network), "--network");
  if (colon == std::string_view::npos) return value;
  for (const std::string& option : split(text.substr(colon + 1), ','))
    TRY(take_option(text, option, value.attachment));
  return value;
}

Result<engine::PortSpec> parse_publish(std::string_view text) {
  constexpr std::string_view kShape =
      "it is [[ADDRESS:][HOST_PORT]:]CONTAINER_PORT[/tcp|udp|sctp], where a port may be a range such as "
      "8000-8010";
  std::string_view rest = text;
  std::string host;
  if (rest.starts_with('[')) {
    const size_t end = rest.find("]:");
    if (end == std::string_view::npos) return bad_value("--publish", text, kShape);
    host = TRY(parse_address("--publish", rest.substr(1, end - 1), true));
    rest.remove_prefix(end + 2);
    if (rest.find(':') == std::string_view::npos) return bad_value("--publish", text, kShape);
  }
  std::vector<std::string> parts = split(rest, ':');
  if (parts.size() == 3 && host.empty()) {
    if (!parts[0].empty()) host = TRY(parse_address("--publish", parts[0], false));
    parts.erase(parts.begin());
  }
  if (parts.empty() || parts.size() > 2) return bad_value("--publish", text, kShape);
  Result<engine::PortSpec> port = engine::parse_exposed(parts.back());
  const std::optional<Ports> outside = parts.size() == 2 ? parse_ports(parts[0]) : Ports{0, 0};
  if (!port || !outside) return bad_value("--publish", text, kShape);
  if (outside->count != 0 && outside->count != port->count)
    return bad_value("--publish", text, "the two ranges are not of the same length");
  port->host = host;
  port->host_port = outside->first;
  return port;
}

Result<std::vector<engine::HostEntrySpec>> parse_host_entry(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0)
    return bad_value("--add-host", text, "it is NAME:ADDRESS, for example db:10.0.0.5 or db:host-gateway");
  std::string_view address = text.substr(colon + 1);
  // Docker takes IPv6 in brackets as well.
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  std::string normal;
  if (address != "host-gateway") normal = TRY(parse_any_address("--add-host", address));
  std::vector<engine::HostEntrySpec> entries;
  for (const std::string& name : split(text.substr(0, colon), ';'))
    entries.push_back({TRY(parse_host_name("--add-host", name)), normal});
  return entries;
}

Result<std::string> parse_address(std::string_view flag, std::string_view text, bool v6) {
  const std::optional<net::Address> address = net::Address::parse(text);
  if (address && address->is_v6() == v6) return address->text();
  return bad_value(flag, text, v6 ? "that is no address of IPv6" : "that is no address of IPv4");
}

Result<std::string> parse_any_address(std::string_view flag, std::string_view text) {
  if (const std::optional<net::Address> address = net::Address::parse(text)) return address->text();
  return bad_value(flag, text, "that is no address");
}

Result<std::string> parse_mac(std::string_view flag, std::string_view text) {
  if (const std::optional<net::MacAddress> mac = net::MacAddress::parse(text)) return mac->text();
  return bad_value(flag, text, "that is no address of an interface, such as 02:00:5e:10:00:01");
}

Result<std::string> parse_host_name(std::string_view flag, std::string_view text) {
  if (engine::is_host_name(text)) return std::string(text);
  return bad_value(flag, text, "a name is at most 253 letters, digits, dots, hyphens and underscores");
}

Result<std::string> parse_dns_option(std::string_view text) {
  constexpr size_t kLongest = 64;
  const bool good = !text.empty() && text.size() <= kLongest &&
                    std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (good) return std::string(text);
  return bad_value("--dns-option", text, "it is one word, such as ndots:2 (resolv.conf(5))");
}

}  // namespace berth::cli
