#include "cli/network_flags.h"

#include <algorithm>

#include "cli/network_values.h"
#include "ledger/networks.h"
#include "net/plan.h"

namespace berth::cli {

namespace {

// --ip, --ip6, --mac-address and --network-alias are about the one network there is.
Result<> apply_to_attachment(const NetworkFlags& flags, engine::ContainerSpec& spec) {
  const char* flag = !flags.ip.empty()        ? "--ip"
                     : !flags.ip6.empty()     ? "--ip6"
                     : !flags.mac.empty()     ? "--mac-address"
                     : !flags.aliases.empty() ? "--network-alias"
                                              : nullptr;
  if (flag == nullptr) return {};
  std::vector<engine::AttachmentSpec>& attachments = spec.networking.attachments;
  if (spec.network.empty()) {
    spec.network = engine::kBridgedNetwork;
    attachments.push_back({.network = std::string(ledger::kDefaultNetwork)});
  }
  if (spec.network != engine::kBridgedNetwork)
    return fail(Code::usage, "{} has no use with --network {}", flag, spec.network);
  // An alias is one in all of them, as podman has it.
  for (engine::AttachmentSpec& attachment : attachments) {
    for (const std::string& alias : flags.aliases)
      attachment.aliases.push_back(TRY(parse_host_name("--network-alias", alias)));
  }
  const bool of_one = !flags.ip.empty() || !flags.ip6.empty() || !flags.mac.empty();
  if (of_one && attachments.size() > 1) {
    Error error{Code::usage, 0, fmt::format("{}: which of the networks is meant?", flag),
                "--network NAME:ip=ADDRESS,mac=ADDRESS says it of each."};
    return std::unexpected(std::move(error));
  }
  engine::AttachmentSpec& attachment = attachments.front();
  if (!flags.ip.empty()) attachment.ip = TRY(parse_address("--ip", flags.ip, false));
  if (!flags.ip6.empty()) attachment.ip6 = TRY(parse_address("--ip6", flags.ip6, true));
  if (!flags.mac.empty()) attachment.mac = TRY(parse_mac("--mac-address", flags.mac));
  return {};
}

Result<> apply_networks(const NetworkFlags& flags, engine::ContainerSpec& spec) {
  for (const std::string& text : flags.networks) {
    NetworkValue value = TRY(parse_network(text));
    if (!spec.network.empty() && (value.mode != engine::kBridgedNetwork || spec.network != value.mode))
      return fail(Code::usage, "--network {} can't go with another network",
                  value.mode != engine::kBridgedNetwork ? value.mode : spec.network);
    spec.network = value.mode;
    if (value.mode != engine::kBridgedNetwork) continue;
    const auto same = [&](const engine::AttachmentSpec& other) {
      return other.network == value.attachment.network;
    };
    auto& attachments = spec.networking.attachments;
    if (std::any_of(attachments.begin(), attachments.end(), same))
      return fail(Code::usage, "--network {} is given twice", value.attachment.network);
    attachments.push_back(std::move(value.attachment));
  }
  if (spec.networking.attachments.size() > net::kMostAttachments)
    return fail(Code::usage, "a container can be in {} networks at most", net::kMostAttachments);
  return {};
}

Result<> apply_ports(const NetworkFlags& flags, engine::ContainerSpec& spec) {
  engine::NetworkSpec& networking = spec.networking;
  size_t count = 0;
  for (const std::string& text : flags.published) {
    networking.ports.push_back(TRY(parse_publish(text)));
    count += networking.ports.back().count;
  }
  if (count > net::kMostPorts)
    return fail(Code::usage, "--publish: a container can publish {} ports at most, not {}", net::kMostPorts,
                count);
  for (const std::string& text : flags.exposed) {
    TRY_CONTEXT(engine::parse_exposed(text), "--expose");
    networking.exposed.push_back(text);
  }
  networking.publish_all = flags.publish_all;
  const bool wanted = flags.publish_all || !networking.ports.empty();
  if (!wanted || spec.network.empty() || spec.network == engine::kBridgedNetwork ||
      spec.network == engine::kHostNetwork)
    return {};
  Error error{Code::usage, 0, fmt::format("--publish has no use with --network {}", spec.network), {}};
  if (spec.network != engine::kNoNetwork)
    error.hint = "Publish it where the network is made: with the other container.";
  return std::unexpected(std::move(error));
}

Result<> apply_names(const NetworkFlags& flags, engine::ContainerSpec& spec) {
  engine::NetworkSpec& networking = spec.networking;
  for (const std::string& text : flags.dns) networking.dns.push_back(TRY(parse_any_address("--dns", text)));
  for (const std::string& text : flags.searches)
    networking.searches.push_back(TRY(parse_host_name("--dns-search", text)));
  for (const std::string& text : flags.dns_options)
    networking.dns_options.push_back(TRY(parse_dns_option(text)));
  for (const std::string& text : flags.hosts) {
    for (engine::HostEntrySpec& entry : TRY(parse_host_entry(text)))
      networking.hosts.push_back(std::move(entry));
  }
  networking.no_hosts = flags.no_hosts;
  if (flags.no_hosts && !flags.hosts.empty())
    return fail(Code::usage, "--add-host has no use with --no-hosts, which leaves /etc/hosts to the image");
  return {};
}

}  // namespace

void add_network_flags(Flags& line, NetworkFlags& flags) {
  line.heading("The network");
  line.list("--network,--net", flags.networks,
            "bridge (default), none, host, container:NAME or a network's NAME[:ip=…,mac=…,alias=…]");
  line.value("--ip", flags.ip, "Its address of IPv4 in the network");
  line.value("--ip6", flags.ip6, "And of IPv6");
  line.value("--mac-address", flags.mac, "The address of its interface, for example 02:00:5e:10:00:01");
  line.list("--network-alias", flags.aliases, "One more name that others in its networks know it by");
  line.list("-p,--publish", flags.published,
            "[[ADDRESS:][HOST_PORT]:]PORT[/udp]: lead a port of the host's to one of its own");
  line.flag("-P,--publish-all", flags.publish_all,
            "Lead free ports of the host's to all that the image and --expose name");
  line.list("--expose", flags.exposed, "PORT[-PORT][/udp], for --publish-all");
  line.list("--dns", flags.dns, "A nameserver in the place of the host's");
  line.list("--dns-search", flags.searches, "A search domain in the place of the host's; . for none");
  line.list("--dns-option", flags.dns_options, "An option of resolv.conf(5), for example ndots:2");
  line.list("--add-host", flags.hosts, "NAME:ADDRESS in /etc/hosts; host-gateway is the host's own address");
  line.flag("--no-hosts", flags.no_hosts, "Leave /etc/hosts as the image has it");
}

Result<> apply_network_flags(const NetworkFlags& flags, engine::ContainerSpec& spec) {
  spec.network.clear();
  TRY(apply_networks(flags, spec));
  TRY(apply_to_attachment(flags, spec));
  TRY(apply_ports(flags, spec));
  return apply_names(flags, spec);
}

}  // namespace berth::cli
