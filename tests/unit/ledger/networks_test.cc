#include "ledger/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../support/scratch.h"
#include "ledger/network_leases.h"
#include "ledger/published_ports.h"
#include "store/containers.h"

namespace berth::ledger {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

net::Address address(std::string_view text) {
  return net::Address::parse(text).value();
}

NetworkSubnet subnet(std::string_view text) {
  const net::Subnet parsed = net::Subnet::parse(text).value();
  return {parsed, parsed.first_usable(), parsed.first_usable(), parsed.last_usable()};
}

class Networks : public testing::Test {
 protected:
  Networks() : db_(store::Database::open(scratch_.path() + "/berth.db").value()) {}

  Network network(const std::string& name, std::vector<NetworkSubnet> subnets,
                  const std::string& project = "") {
    Network network{.id = std::string(64, static_cast<char>('a' + count_)),
                    .project = project,
                    .name = name,
                    .bridge = fmt::format("berth{}", count_)};
    ++count_;
    network.subnets = std::move(subnets);
    return network;
  }
  Network insert(const std::string& name, const std::string& text, const std::string& project = "") {
    Network made = network(name, {subnet(text)}, project);
    const Result<> inserted = insert_network(db_, made);
    EXPECT_TRUE(inserted) << inserted.error().message;
    return made;
  }
  void container(const std::string& name) {
    EXPECT_TRUE(store::insert_container(db_, {.id = name, .name = name, .state = store::kCreated}));
  }
  // The address that it gets, or what is said.
  std::string lease(const std::string& name, const Network& network, const AddressWish& wish = {}) {
    if (!store::find_container(db_, name)) container(name);
    const Result<> attached = attach_container(db_, name, network, wish);
    if (!attached) return attached.error().message;
    const Result<Lease> lease = lease_addresses(db_, name, network, wish);
    return lease ? (lease->v4 ? lease->v4->text() : lease->v6->text()) : lease.error().message;
  }
  void end(const std::string& name) { EXPECT_TRUE(store::set_container_exited(db_, name, 0, 1, "")); }

  const test::Scratch scratch_;
  store::Database db_;
  int count_ = 0;
};

TEST_F(Networks, AreFoundByNameAndIdInTheirProject) {
  const Network web = insert("web", "10.1.0.0/24");
  const Network theirs = insert("web", "10.2.0.0/24", "shop");
  EXPECT_EQ(find_network(db_, "", "web")->id, web.id);
  EXPECT_EQ(find_network(db_, "shop", "web")->id, theirs.id);
  EXPECT_EQ(find_network(db_, "", web.id.substr(0, 5))->id, web.id);
  EXPECT_EQ(find_network(db_, "", theirs.id).error().code, Code::not_found);
  EXPECT_EQ(find_network(db_, "", "wep").error().hint, "Did you mean web?");
  const Network found = find_network(db_, "", "web").value();
  EXPECT_EQ(found.subnets.at(0).subnet.text(), "10.1.0.0/24");
  EXPECT_EQ(found.subnets.at(0).gateway, address("10.1.0.1"));
  EXPECT_EQ(found.subnets.at(0).range_last, address("10.1.0.254"));
}

TEST_F(Networks, HaveNamesAndSubnetsOfTheirOwn) {
  insert("web", "10.1.0.0/24");
  EXPECT_EQ(insert_network(db_, network("web", {subnet("10.3.0.0/24")})).error().code, Code::conflict);
  const Result<> within = insert_network(db_, network("db", {subnet("10.1.0.128/25")}));
  EXPECT_THAT(within.error().message, HasSubstr("the network web, which has 10.1.0.0/24"));
  const Result<> of_other = insert_network(db_, network("db", {subnet("10.0.0.0/8")}, "shop"));
  EXPECT_THAT(of_other.error().message, HasSubstr("the network of another project"));
  EXPECT_EQ(free_bridge_number(db_, "berth"), 1U);
}

TEST_F(Networks, HaveNamesThatMeanNothingElse) {
  for (const char* name : {"web", "a", "Web_1.x-y"}) EXPECT_TRUE(check_network_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("none"), std::string("host"), std::string("container"), std::string("-a"),
        std::string("a b"), std::string("a\nb"), std::string("a/b"), std::string("a:b"),
        std::string(129, 'a'), std::string(1U << 20, 'a')})
    EXPECT_EQ(check_network_name(name).error().code, Code::usage) << name.substr(0, 20);
}

TEST_F(Networks, AreNotRemovedWhileContainersUseThem) {
  const Network web = insert("web", "10.1.0.0/24");
  lease("one", web);
  end("one");
  EXPECT_THAT(delete_network(db_, web).error().message, HasSubstr("is used by one"));
  EXPECT_TRUE(store::delete_container(db_, "one"));
  EXPECT_TRUE(delete_network(db_, web));
  EXPECT_EQ(find_network(db_, "", "web").error().code, Code::not_found);
}

TEST_F(Networks, GiveTheNextAddressAndComeRound) {
  const Network small = insert("small", "10.1.0.0/29");  // .1 is the gateway, .2 to .6 are left
  EXPECT_EQ(lease("one", small), "10.1.0.2");
  EXPECT_EQ(lease("two", small), "10.1.0.3");
  end("one");
  EXPECT_EQ(lease("three", small), "10.1.0.4");  // what has just come free rests
  EXPECT_EQ(lease("four", small), "10.1.0.5");
  EXPECT_EQ(lease("five", small), "10.1.0.6");
  EXPECT_EQ(lease("six", small), "10.1.0.2");
  const std::string full = lease("seven", small);
  EXPECT_THAT(full, HasSubstr("all from 10.1.0.1 to 10.1.0.6 are held, by six, two, three, four, five"));
  end("four");
  EXPECT_EQ(lease("seven", small), "10.1.0.5");
}

TEST_F(Networks, LeaveAContainerItsAddressesWhileItRuns) {
  const Network web = insert("web", "10.1.0.0/24");
  EXPECT_EQ(lease("one", web), "10.1.0.2");
  EXPECT_EQ(lease("one", web), "10.1.0.2");
  const Lease held = find_lease(db_, "one", web.id).value().value();
  EXPECT_EQ(held.mac, net::MacAddress::for_address(address("10.1.0.2")));
  EXPECT_THAT(holders_not_running(db_).value(), ElementsAre("one"));
  end("one");
  EXPECT_FALSE(find_lease(db_, "one", web.id).value());
  EXPECT_TRUE(holders_not_running(db_).value().empty());
  EXPECT_TRUE(store::delete_container(db_, "one"));
  EXPECT_TRUE(users_of_network(db_, web.id)->empty());
}

TEST_F(Networks, KeepTheAddressesThatAreAskedFor) {
  const Network web = insert("web", "10.1.0.0/24");
  const AddressWish wish{.v4 = address("10.1.0.3")};
  EXPECT_EQ(lease("fixed", web, wish), "10.1.0.3");
  end("fixed");
  EXPECT_EQ(lease("one", web), "10.1.0.2");
  EXPECT_EQ(lease("two", web), "10.1.0.4");  // .3 is there for the one that does not run
  EXPECT_EQ(lease("other", web, wish), "10.1.0.3");
  EXPECT_THAT(lease("fixed", web, wish),
              HasSubstr("10.1.0.3 of the network web is in use by container other"));
}

TEST_F(Networks, RefuseAddressesThatTheyCanNotGive) {
  const Network web = insert("web", "10.1.0.0/24");
  for (const auto& [text, why] : {std::pair{"10.1.0.0", "no address for a container"},
                                  {"10.1.0.255", "no address for a container"},
                                  {"10.2.0.1", "no address for a container"},
                                  {"10.1.0.1", "the gateway"},
                                  {"fd00::2", "no addresses of IPv6"}}) {
    AddressWish wish;
    (address(text).is_v6() ? wish.v6 : wish.v4) = address(text);
    EXPECT_THAT(lease("one", web, wish), HasSubstr(why)) << text;
  }
}

TEST_F(Networks, GiveAddressesOfBothFamiliesAndNoMacTwice) {
  Network both = network("both", {subnet("10.1.0.0/24"), subnet("fd00::/64")});
  ASSERT_TRUE(insert_network(db_, both));
  const auto mac = net::MacAddress::parse("02:00:00:00:00:07");
  EXPECT_EQ(lease("one", both, {.mac = mac}), "10.1.0.2");
  EXPECT_EQ(find_lease(db_, "one", both.id).value()->v6, address("fd00::2"));
  EXPECT_THAT(lease("two", both, {.mac = mac}), HasSubstr("02:00:00:00:00:07 is in use by container one"));
  EXPECT_EQ(lease_holders(db_, both.id)->size(), 1U);
  EXPECT_TRUE(detach_container(db_, "one", both.id).value());
  EXPECT_FALSE(detach_container(db_, "one", both.id).value());
}

TEST_F(Networks, TellAClashOfPortsByName) {
  container("one");
  container("two");
  const auto hold = [&](const std::string& name, const HostPorts& ports) -> std::string {
    EXPECT_TRUE(record_ports(db_, name, std::array{ports}));
    const Result<> held = hold_ports(db_, name);
    return held ? "" : held.error().message;
  };
  EXPECT_EQ(hold("one", {"tcp", "", 8080, 8089}), "");
  EXPECT_THAT(hold("two", {"tcp", "127.0.0.1", 8085, 8085}),
              HasSubstr("port 8085/tcp of 127.0.0.1 is published by container one"));
  EXPECT_EQ(hold("two", {"udp", "", 8080, 8089}), "");
  EXPECT_TRUE(is_wanted(db_, "three", {"tcp", "", 8089, 8090}).value());
  end("one");
  EXPECT_EQ(hold("two", {"tcp", "", 8085, 8085}), "");
  EXPECT_THAT(hold("one", {"tcp", "", 8085, 8085}), HasSubstr("is published by container two"));
}

TEST(HostPorts, ClashWhereOneSocketWouldHaveBoth) {
  const HostPorts any{"tcp", "", 80, 80};
  const HostPorts any4{"tcp", "0.0.0.0", 80, 80};
  const HostPorts any6{"tcp", "::", 80, 80};
  const HostPorts one{"tcp", "127.0.0.1", 80, 80};
  const HostPorts other{"tcp", "10.0.0.1", 70, 90};
  EXPECT_TRUE(clash(any, one));
  EXPECT_TRUE(clash(any4, one));
  EXPECT_FALSE(clash(any6, one));
  EXPECT_FALSE(clash(other, one));
  EXPECT_FALSE(clash(any, {"udp", "", 80, 80}));
  EXPECT_FALSE(clash(any, {"tcp", "", 81, 90}));
}

}  // namespace
}  // namespace berth::ledger
