// Who is in which network, and with which addresses while it runs. A part of the store's database; every
// function here that changes something is called within the caller's transaction. What a container has goes
// with the transaction that records its end (store/schema.h, the triggers).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ledger/networks.h"
#include "net/address.h"
#include "store/database.h"

namespace berth::ledger {

// What a container asks for; nullopt: whatever is free.
struct AddressWish {
  std::optional<net::Address> v4{};
  std::optional<net::Address> v6{};
  std::optional<net::MacAddress> mac{};
  // Words with commas between, fit for the name server's files: names beside the container's own, and
  // addresses of those whom it asks for this container.
  std::string aliases{};
  std::string nameservers{};
};

struct Lease {
  std::optional<net::Address> v4{};  // of each subnet of the network one
  std::optional<net::Address> v6{};
  net::MacAddress mac{};
};

// Code::usage where the network can't give what is asked for.
Result<> check_wish(const Network& network, const AddressWish& wish);

// That the container is in the network. Once more changes what it asks for.
Result<> attach_container(store::Database& db, std::string_view container, const Network& network,
                          const AddressWish& wish);
// And that it is not any more. True if it was.
Result<bool> detach_container(store::Database& db, std::string_view container, std::string_view network_id);

// The container's addresses for as long as it runs: those that it has already, or those that it asks for, or
// the next ones of the range after what was given out last, so that an address that comes free rests as long
// as it can. One that a container asks for is nobody else's, running or not, unless that one asks for it as
// well.
//
// Code::conflict where what is asked for is held, and by whom; or where the range is full, and who holds it.
Result<Lease> lease_addresses(store::Database& db, std::string_view container, const Network& network,
                              const AddressWish& wish);

// Gives back what the container has while it runs: addresses, and its ports on the host.
Result<> release_leases(store::Database& db, std::string_view container);

// The lease that a container has in a network; nullopt: it has none.
Result<std::optional<Lease>> find_lease(store::Database& db, std::string_view container,
                                        std::string_view network_id);

// A container with addresses in a network.
struct LeaseHolder {
  std::string container;  // ID
  std::string name;
  Lease lease;
};
// What the name server is to know of a container in a network.
struct NameEntry {
  std::string bridge;  // of the network
  std::string container;
  std::string name;
  Lease lease;
  std::string aliases;
  std::string nameservers;
};
// Of all networks whose containers find one another by name, those with addresses; by network and address.
Result<std::vector<NameEntry>> name_entries(store::Database& db);

// By address.
Result<std::vector<LeaseHolder>> lease_holders(store::Database& db, std::string_view network_id);

// Containers that have leases and are not recorded as running: somebody was killed while it started them.
Result<std::vector<std::string>> holders_not_running(store::Database& db);

}  // namespace berth::ledger
