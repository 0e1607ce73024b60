#include "net/plan.h"

#include <gtest/gtest.h>

namespace berth::net {
namespace {

NetworkPlan usual_plan() {
  AttachmentPlan attachment;
  attachment.bridge = {.name = "berth0",
                       .gateways = {{*Address::parse("10.89.0.1"), 24}, {*Address::parse("fd00::1"), 64}}};
  attachment.interface = "eth0";
  attachment.link = host_link_name("0123456789abcdef", 0);
  attachment.addresses = {{*Address::parse("10.89.0.2"), 24}, {*Address::parse("fd00::2"), 64}};
  attachment.mac = MacAddress::for_address(attachment.addresses.front().address);
  attachment.routes = {{*Subnet::parse("0.0.0.0/0"), *Address::parse("10.89.0.1")}};
  attachment.ports = {{.host_port = 8080, .container_port = 80}};
  return {"berth", "0123456789abcdef", {attachment}};
}

TEST(NetworkPlan, CrossesAChannelWhole) {
  NetworkPlan plan = usual_plan();
  plan.attachments.front().ports.front().host = Address::parse("127.0.0.1");
  const std::string bytes = wire::encode(plan);
  const Result<NetworkPlan> back = wire::decode<NetworkPlan>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, plan);
  EXPECT_TRUE(check(*back));
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(wire::decode<NetworkPlan>(std::string_view(bytes).substr(0, length)));
}

TEST(NetworkPlan, LinksOnTheHostAreKnownByTheirNames) {
  EXPECT_TRUE(is_host_link_name(host_link_name("0123456789abcdef", 0)));
  EXPECT_TRUE(is_host_link_name(host_link_name("0123456789abcdef", kMostAttachments - 1)));
  for (const char* other :
       {"", "veth0", "eth0", "veth0123456789", "veth012345678g0", "veth0123456789A", "veth0123456789ab"})
    EXPECT_FALSE(is_host_link_name(other)) << other;
}

TEST(NetworkPlan, IsRefusedWithWhatTheKernelMustNotGet) {
  const auto refused = [](auto change) {
    NetworkPlan plan = usual_plan();
    change(plan, plan.attachments.front());
    return !check(plan);
  };
  using Plan = NetworkPlan&;
  using Attachment = AttachmentPlan&;
  EXPECT_FALSE(refused([](Plan, Attachment) {}));
  for (const char* name : {"", "..", "a/b", "a b", "sixteencharacter", "veth%d", "a:1", "\x1b[1m"}) {
    EXPECT_TRUE(refused([&](Plan, Attachment a) { a.bridge.name = name; })) << name;
    EXPECT_TRUE(refused([&](Plan, Attachment a) { a.interface = name; })) << name;
    EXPECT_TRUE(refused([&](Plan, Attachment a) { a.link = name; })) << name;
  }
  for (const char* table : {"", "Berth", "a b", "a{", "1a"})
    EXPECT_TRUE(refused([&](Plan p, Attachment) { p.table = table; })) << table;
  EXPECT_TRUE(refused([](Plan p, Attachment) { p.container = "../x"; }));
  EXPECT_TRUE(refused([](Plan, Attachment a) { a.ports.front().host_port = 0; }));
  EXPECT_TRUE(refused(
      [](Plan, Attachment a) { a.ports.front() = {.host_port = 65535, .container_port = 1, .count = 2}; }));
  EXPECT_TRUE(refused(
      [](Plan, Attachment a) { a.ports.front() = {.host_port = 1, .container_port = 1, .count = 20000}; }));
  EXPECT_TRUE(refused([](Plan, Attachment a) { a.mac = MacAddress({1, 2, 3, 4, 5, 6}); }));
  EXPECT_TRUE(refused([](Plan, Attachment a) { a.addresses.front().prefix = 33; }));
  EXPECT_TRUE(refused([](Plan, Attachment a) { a.bridge.gateways.push_back(a.bridge.gateways.front()); }));
  EXPECT_TRUE(refused([](Plan, Attachment a) { a.routes.front().gateway = *Address::parse("fd00::1"); }));
  EXPECT_TRUE(refused([](Plan p, Attachment a) { p.attachments.resize(kMostAttachments + 1, a); }));
}

TEST(StoreNames, AreToldApartAndFitInterfaces) {
  EXPECT_EQ(names_for("/var/lib/berth").table, "berth");
  EXPECT_EQ(bridge_name(names_for("/var/lib/berth"), 0), "berth0");
  const StoreNames one = names_for("/srv/one");
  const StoreNames two = names_for("/srv/two");
  EXPECT_NE(one.table, two.table);
  EXPECT_NE(one.bridge_prefix, two.bridge_prefix);
  EXPECT_TRUE(is_interface_name(bridge_name(one, 999999)));
  EXPECT_TRUE(is_interface_name(host_link_name(std::string(64, 'f'), kMostAttachments - 1)));
}

}  // namespace
}  // namespace berth::net
