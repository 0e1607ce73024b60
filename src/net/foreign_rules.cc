#include "net/foreign_rules.h"

#include <algorithm>
#include <cerrno>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "sys/netlink.h"

namespace berth::net {

namespace {

constexpr uint16_t message_type(uint16_t message) {
  return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

std::string_view attribute_of(std::string_view payload, uint16_t type) {
  return sys::find_attribute(payload, sizeof(nfgenmsg), type);
}

bool is_number(std::string_view value, uint32_t expected) {
  return sys::leading<uint32_t>(value) == htonl(expected);
}

Result<std::vector<ForeignChain>> list_chains(sys::NetlinkSocket& socket) {
  sys::NetlinkRequests request;
  request.message(message_type(NFT_MSG_GETCHAIN), NLM_F_DUMP, nfgenmsg{NFPROTO_UNSPEC, NFNETLINK_V0, 0});
  std::vector<ForeignChain> chains;
  TRY(socket.list(request, [&](const sys::NetlinkMessage& message) {
    if (message.type == message_type(NFT_MSG_NEWCHAIN)) chains.push_back(chain_in(message.payload));
  }));
  return chains;
}

// What the rules of a chain's table say.
struct Rules {
  bool last_drops = false;               // of the chain itself
  std::vector<const BridgePlan*> named;  // in any chain: what leads there is not followed
};

Result<Rules> look_at_rules(sys::NetlinkSocket& socket, const ForeignChain& chain,
                            std::span<const BridgePlan> bridges) {
  sys::NetlinkRequests request;
  request.message(message_type(NFT_MSG_GETRULE), NLM_F_DUMP, nfgenmsg{chain.family, NFNETLINK_V0, 0});
  request.text(NFTA_RULE_TABLE, chain.table);
  Rules rules;
  TRY(socket.list(request, [&](const sys::NetlinkMessage& message) {
    const auto text = [&](uint16_t type) { return sys::text_in(attribute_of(message.payload, type)); };
    if (message.type != message_type(NFT_MSG_NEWRULE) || text(NFTA_RULE_TABLE) != chain.table) return;
    if (text(NFTA_RULE_CHAIN) == chain.name) rules.last_drops = drops_everything(message.payload);
    const std::string_view expressions = attribute_of(message.payload, NFTA_RULE_EXPRESSIONS);
    for (const BridgePlan& bridge : bridges) {
      // As the kernel compares names: with the zero that ends them.
      if (expressions.find(bridge.name + '\0') != std::string_view::npos) rules.named.push_back(&bridge);
    }
  }));
  return rules;
}

// The packets of the bridge that such a chain is asked about.
bool concerns(const ForeignChain& chain, const BridgePlan& bridge) {
  if (bridge.internal) return false;
  if (chain.family == NFPROTO_INET) return true;
  return std::ranges::any_of(bridge.gateways, [&](const InterfaceAddress& gateway) {
    return gateway.address.is_v6() == (chain.family == NFPROTO_IPV6);
  });
}

const char* family_name(uint8_t family) {
  return family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV6 ? "ip6" : "ip";
}

// In the words of the one whose chain it is.
std::string way_through(const ForeignChain& chain, const std::vector<ForeignChain>& all,
                        const std::string& bridge) {
  const auto beside = [&](std::string_view name) {
    return std::ranges::any_of(all, [&](const ForeignChain& other) {
      return other.family == chain.family && other.table == chain.table && other.name == name;
    });
  };
  if (chain.table == "firewalld")
    return fmt::format("firewall-cmd --permanent --zone=trusted --add-interface={} && firewall-cmd --reload",
                       bridge);
  if (beside("ufw-user-forward") || beside("ufw6-user-forward"))
    return fmt::format("ufw route allow in on {0} && ufw route allow out on {0}", bridge);
  const bool of_iptables = chain.family != NFPROTO_INET && chain.table == "filter" && chain.name == "FORWARD";
  const char* program = chain.family == NFPROTO_IPV6 ? "ip6tables" : "iptables";
  if (of_iptables)
    return fmt::format("{0} -I {1} -i {2} -j ACCEPT && {0} -I {1} -o {2} -j ACCEPT", program,
                       beside("DOCKER-USER") ? "DOCKER-USER" : "FORWARD", bridge);
  const std::string where = fmt::format("{} {} {}", family_name(chain.family), chain.table, chain.name);
  return fmt::format("nft insert rule {0} iifname {1} accept && nft insert rule {0} oifname {1} accept",
                     printable(where), bridge);
}

}  // namespace

ForeignChain chain_in(std::string_view payload) {
  ForeignChain chain;
  const auto attribute = [&](uint16_t type) { return attribute_of(payload, type); };
  chain.family = sys::leading<nfgenmsg>(payload).value_or(nfgenmsg{}).nfgen_family;
  chain.table = sys::text_in(attribute(NFTA_CHAIN_TABLE));
  chain.name = sys::text_in(attribute(NFTA_CHAIN_NAME));
  const bool of_packets =
      chain.family == NFPROTO_INET || chain.family == NFPROTO_IPV4 || chain.family == NFPROTO_IPV6;
  const std::string_view number = sys::find_attribute(attribute(NFTA_CHAIN_HOOK), 0, NFTA_HOOK_HOOKNUM);
  chain.forwards = of_packets && is_number(number, NF_INET_FORWARD);
  chain.drops = is_number(attribute(NFTA_CHAIN_POLICY), NF_DROP);
  return chain;
}

bool drops_everything(std::string_view payload) {
  std::string_view expressions = attribute_of(payload, NFTA_RULE_EXPRESSIONS);
  bool drops = false;
  while (const std::optional<sys::NetlinkAttribute> expression = sys::take_attribute(expressions)) {
    const std::string_view name = sys::text_in(sys::find_attribute(expression->value, 0, NFTA_EXPR_NAME));
    const std::string_view data = sys::find_attribute(expression->value, 0, NFTA_EXPR_DATA);
    const std::string_view verdict =
        sys::find_attribute(sys::find_attribute(data, 0, NFTA_IMMEDIATE_DATA), 0, NFTA_DATA_VERDICT);
    if (name == "reject") {
      drops = true;
    } else if (name == "immediate") {
      drops = drops || is_number(sys::find_attribute(verdict, 0, NFTA_VERDICT_CODE), NF_DROP);
    } else if (name != "counter" && name != "log") {
      return false;
    }
  }
  return drops;
}

Result<std::vector<std::string>> what_stops_forwarding(std::span<const BridgePlan> bridges) {
  std::vector<std::string> told;
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  const std::vector<ForeignChain> chains = TRY(list_chains(socket));
  for (const ForeignChain& chain : chains) {
    if (!chain.forwards) continue;
    const Rules rules = TRY(look_at_rules(socket, chain, bridges));
    if (!chain.drops && !rules.last_drops) continue;
    for (const BridgePlan& bridge : bridges) {
      if (!concerns(chain, bridge) || std::ranges::find(rules.named, &bridge) != rules.named.end()) continue;
      told.push_back(
          fmt::format("Another firewall may stop what containers on {} send and get: the chain {} of "
                      "nftables' table {} {} "
                      "drops what it has no rule for. To let it through: {}",
                      bridge.name, printable(chain.name), family_name(chain.family), printable(chain.table),
                      way_through(chain, chains, bridge.name)));
    }
  }
  return told;
}

}  // namespace berth::net
