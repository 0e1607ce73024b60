#include "net/elements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

namespace berth::net {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Address address(const char* text) {
  return Address::parse(text).value();
}

NetworkPlan plan_with(std::vector<PublishedPort> ports) {
  AttachmentPlan attachment;
  attachment.bridge = {.name = "berth0", .gateways = {{address("10.89.0.1"), 24}}};
  attachment.addresses = {{address("10.89.0.2"), 24}};
  attachment.ports = std::move(ports);
  return {"berth", "0123456789abcdef", {attachment}};
}

std::vector<Element> in_set(const std::vector<Element>& elements, std::string_view set) {
  std::vector<Element> found;
  for (const Element& element : elements) {
    if (element.set == set) found.push_back(element);
  }
  return found;
}

TEST(Elements, HaveTheirFieldsInRegistersOfFourBytes) {
  const std::string key = ElementData().protocol(6).port(80).bytes();
  EXPECT_EQ(key, std::string_view("\6\0\0\0\0P\0\0", 8));
  EXPECT_EQ(ElementData().address(address("10.9.0.2")).port(80).bytes(),
            std::string_view("\n\t\0\2\0P\0\0", 8));
  EXPECT_THAT(ElementData().interface("berth0").bytes(), SizeIs(16));
  EXPECT_THAT(ElementData().interface(std::string(40, 'x')).bytes(), SizeIs(16));
  EXPECT_EQ(ElementData().interface(std::string(40, 'x')).bytes().back(), '\0');
}

TEST(Elements, OfAPortOnAllAddressesAreForTheHostsLoopbackToo) {
  const std::vector<Element> made =
      container_elements(plan_with({{.host_port = 8080, .container_port = 80, .count = 3}}));
  EXPECT_THAT(in_set(made, "ports4"), SizeIs(3));
  EXPECT_THAT(in_set(made, "loopback4"), SizeIs(3));
  EXPECT_THAT(in_set(made, "members4"), SizeIs(1));
  EXPECT_THAT(made, SizeIs(7));
  EXPECT_EQ(made.back().comment, "0123456789ab");
}

TEST(Elements, OfAPortOnOneAddressAreForThatAlone) {
  const std::vector<Element> made =
      container_elements(plan_with({{.host = address("192.0.2.1"), .host_port = 8080, .container_port = 80},
                                    {.host = address("::1"), .host_port = 8081, .container_port = 80}}));
  EXPECT_THAT(in_set(made, "ports4_at"), SizeIs(1));
  EXPECT_THAT(made, SizeIs(2));  // the container has no address of IPv6
}

TEST(Elements, OfAnInternalNetworkSaySo) {
  BridgePlan bridge{.name = "berth0", .gateways = {{address("10.89.0.1"), 24}}};
  EXPECT_THAT(in_set(elements_of(bridge), "internal"), IsEmpty());
  bridge.internal = true;
  EXPECT_THAT(in_set(elements_of(bridge), "internal"), SizeIs(1));
}

std::vector<Element> sent(const Transaction& transaction, uint16_t message) {
  const std::string bytes = transaction.requests().bytes(0);
  std::string_view rest = bytes;
  std::vector<Element> found;
  while (const auto taken = sys::take_message(rest)) {
    if (taken->type != (NFNL_SUBSYS_NFTABLES << 8 | message)) continue;
    for (Element& element : elements_in(taken->payload)) found.push_back(std::move(element));
  }
  EXPECT_TRUE(rest.empty());
  return found;
}

TEST(Transaction, HasWhatItWasGiven) {
  const std::vector<Element> elements =
      container_elements(plan_with({{.host_port = 8080, .container_port = 80, .count = 5000}}));
  Transaction transaction("berth");
  transaction.change(ElementChange::add, elements);
  EXPECT_GT(transaction.requests().count(), 4U);  // no list is longer than an attribute can be
  EXPECT_EQ(sent(transaction, NFT_MSG_NEWSETELEM), elements);
}

TEST(Transaction, RemovesByTheKeyAlone) {
  const std::vector<Element> elements =
      container_elements(plan_with({{.host_port = 8080, .container_port = 80}}));
  Transaction transaction("berth");
  transaction.change(ElementChange::remove, elements);
  for (const Element& element : sent(transaction, NFT_MSG_DELSETELEM)) {
    EXPECT_FALSE(element.key.empty());
    EXPECT_EQ(element.value, "");
  }
}

TEST(Transaction, CutsCommentsThatNftWouldNotRead) {
  const Element element{"ports4", "key1", "value", std::string(1000, 'x')};
  Transaction transaction("berth");
  transaction.change(ElementChange::add, std::span(&element, 1));
  EXPECT_THAT(sent(transaction, NFT_MSG_NEWSETELEM).at(0).comment, SizeIs(120));
}

}  // namespace
}  // namespace berth::net
