#include "ledger/network_leases.h"

#include <algorithm>

namespace berth::ledger {

namespace {

std::optional<net::Address> address_at(const store::Statement& row, int column, bool v6) {
  if (row.is_null(column)) return std::nullopt;
  return net::Address::from_key(row.text(column), v6);
}

Lease read_lease(const store::Statement& row, int column) {
  Lease lease{address_at(row, column, false), address_at(row, column + 1, true), {}};
  if (const auto mac = net::MacAddress::parse(row.text(column + 2))) lease.mac = *mac;
  return lease;
}

void bind_key(store::Statement& statement, int index, const std::optional<net::Address>& address) {
  statement.bind(index, address ? std::optional(address->key()) : std::optional<std::string>());
}

// "web", "db" and 12 others, of those that have an address or keep one for themselves.
Result<std::string> describe_holders(store::Database& db, const Network& network, bool v6) {
  constexpr size_t kShown = 8;
  const std::string_view column = v6 ? "6" : "4";
  store::Statement query = TRY(db.prepare(fmt::format(
      "SELECT name FROM network_attachments JOIN containers ON id = container_id WHERE network_id = ? AND "
      "coalesce(address{0}, asked{0}) IS NOT NULL ORDER BY coalesce(address{0}, asked{0})",
      column)));
  std::vector<std::string> names = TRY(query.bind(1, network.id).texts());
  const size_t count = names.size();
  if (count == 0) return "by nobody";
  names.resize(std::min(count, kShown));
  std::string text = fmt::format("by {}", fmt::join(names, ", "));
  if (count > kShown) text += fmt::format(" and {} others", count - kShown);
  return text;
}

class Addresses {
 public:
  Addresses(store::Database& db, std::string_view container, const Network& network,
            const NetworkSubnet& subnet)
      : db_(db), container_(container), network_(network), subnet_(subnet), v6_(subnet.subnet.is_v6()) {}

  Result<net::Address> asked_for(const net::Address& wish) {
    store::Statement query = TRY(db_.prepare(fmt::format(
        "SELECT name FROM network_attachments JOIN containers ON id = container_id WHERE network_id = ?1 AND "
        "address{} = ?2 AND container_id <> ?3",
        suffix())));
    query.bind(1, network_.id).bind(2, wish.key()).bind(3, container_);
    if (!TRY(query.step())) return wish;
    return fail(Code::conflict, "the address {} of the network {} is in use by container {}", wish.text(),
                network_.name, query.text(0));
  }

  Result<net::Address> next() {
    const std::optional<net::Address> given = TRY(last_given());
    const bool within = given && subnet_.range_first <= *given && *given < subnet_.range_last;
    std::optional<net::Address> found;
    if (within) found = TRY(first_from(*given->plus(1)));
    if (!found) found = TRY(first_from(subnet_.range_first));
    if (!found) return full();
    store::Statement update =
        TRY(db_.prepare("UPDATE network_subnets SET given = ? WHERE network_id = ? AND v6 = ?"));
    TRY(update.bind(1, found->key()).bind(2, network_.id).bind(3, int64_t{v6_}).run());
    return *found;
  }

 private:
  [[nodiscard]] std::string_view suffix() const { return v6_ ? "6" : "4"; }

  Result<std::optional<net::Address>> last_given() {
    store::Statement query =
        TRY(db_.prepare("SELECT given FROM network_subnets WHERE network_id = ? AND v6 = ?"));
    query.bind(1, network_.id).bind(2, int64_t{v6_});
    if (!TRY(query.step())) return std::nullopt;
    return net::Address::from_key(query.text(0), v6_);
  }

  Result<std::optional<net::Address>> first_from(const net::Address& from) {
    store::Statement query = TRY(db_.prepare(
        fmt::format("SELECT address{0} AS a FROM network_attachments WHERE network_id = ?1 AND a >= ?2 UNION "
                    "SELECT asked{0} AS a FROM network_attachments WHERE network_id = ?1 AND a >= ?2 AND "
                    "container_id <> ?3 "
                    "UNION SELECT ?4 WHERE ?4 >= ?2 ORDER BY 1",
                    suffix())));
    query.bind(1, network_.id).bind(2, from.key()).bind(3, container_).bind(4, subnet_.gateway.key());
    std::vector<net::Address> taken;
    std::optional<net::Address> free = from;
    // One row further than the first gap at most.
    while (free && TRY(query.step())) {
      taken.assign(1, net::Address::from_key(query.text(0), v6_).value_or(*free));
      if (*free < taken.front()) break;
      free = net::first_free(*free, subnet_.range_last, taken);
    }
    return free && *free <= subnet_.range_last ? free : std::nullopt;
  }

  std::unexpected<Error> full() {
    const Result<std::string> holders = describe_holders(db_, network_, v6_);
    if (!holders) return std::unexpected(holders.error());
    Error error{
        Code::conflict, 0,
        fmt::format("no address is free in the network {}: all from {} to {} are held, {}", network_.name,
                    subnet_.range_first.text(), subnet_.range_last.text(), *holders),
        fmt::format("`berth network inspect {}` says who has which; a network with a larger --subnet has "
                    "more.",
                    network_.name)};
    return std::unexpected(std::move(error));
  }

  store::Database& db_;
  std::string_view container_;
  const Network& network_;
  const NetworkSubnet& subnet_;
  bool v6_;
};

Result<> check_mac_free(store::Database& db, std::string_view container, const Network& network,
                        const net::MacAddress& mac) {
  store::Statement query = TRY(db.prepare(
      "SELECT name FROM network_attachments JOIN containers ON id = container_id WHERE network_id = ?1 AND "
      "mac = ?2 AND container_id <> ?3"));
  query.bind(1, network.id).bind(2, mac.text()).bind(3, container);
  if (!TRY(query.step())) return {};
  return fail(Code::conflict, "the MAC address {} is in use by container {} of the network {}", mac.text(),
              query.text(0), network.name);
}

}  // namespace

Result<> check_wish(const Network& network, const AddressWish& wish) {
  for (const std::optional<net::Address>* asked : {&wish.v4, &wish.v6}) {
    if (!*asked) continue;
    const net::Address& address = **asked;
    const auto subnet =
        std::find_if(network.subnets.begin(), network.subnets.end(),
                     [&](const NetworkSubnet& one) { return one.subnet.is_v6() == address.is_v6(); });
    if (subnet == network.subnets.end()) {
      return fail(Code::usage, "{}: the network {} has no addresses of {}", address.text(), network.name,
                  address.is_v6() ? "IPv6" : "IPv4");
    }
    if (!subnet->subnet.is_usable(address)) {
      return fail(Code::usage, "{}: it is no address for a container in the network {}, which has {}",
                  address.text(), network.name, subnet->subnet.text());
    }
    if (address == subnet->gateway) {
      return fail(Code::usage, "{}: it is the gateway of the network {}", address.text(), network.name);
    }
  }
  return {};
}

Result<> attach_container(store::Database& db, std::string_view container, const Network& network,
                          const AddressWish& wish) {
  TRY(check_wish(network, wish));
  store::Statement insert =
      TRY(db.prepare("INSERT INTO network_attachments (container_id, network_id, asked4, asked6, aliases, "
                     "nameservers) VALUES "
                     "(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (container_id, network_id) DO UPDATE SET asked4 = "
                     "?3, asked6 = ?4, "
                     "aliases = ?5, nameservers = ?6"));
  insert.bind(1, container).bind(2, network.id).bind(5, wish.aliases).bind(6, wish.nameservers);
  bind_key(insert, 3, wish.v4);
  bind_key(insert, 4, wish.v6);
  return insert.run();
}

Result<bool> detach_container(store::Database& db, std::string_view container, std::string_view network_id) {
  store::Statement statement =
      TRY(db.prepare("DELETE FROM network_attachments WHERE container_id = ? AND network_id = ?"));
  TRY(statement.bind(1, container).bind(2, network_id).run());
  return db.changes() > 0;
}

Result<Lease> lease_addresses(store::Database& db, std::string_view container, const Network& network,
                              const AddressWish& wish) {
  TRY(check_wish(network, wish));
  const Lease before = TRY(find_lease(db, container, network.id)).value_or(Lease());
  Lease lease;
  for (const NetworkSubnet& subnet : network.subnets) {
    const bool v6 = subnet.subnet.is_v6();
    const std::optional<net::Address>& asked = v6 ? wish.v6 : wish.v4;
    const std::optional<net::Address>& held = v6 ? before.v6 : before.v4;
    Addresses addresses(db, container, network, subnet);
    std::optional<net::Address>& chosen = v6 ? lease.v6 : lease.v4;
    if (asked) {
      chosen = TRY(addresses.asked_for(*asked));
    } else {
      chosen = held ? *held : TRY(addresses.next());
    }
  }
  lease.mac = wish.mac ? *wish.mac : net::MacAddress::for_address(lease.v4 ? *lease.v4 : *lease.v6);
  TRY(check_mac_free(db, container, network, lease.mac));
  store::Statement update = TRY(
      db.prepare("UPDATE network_attachments SET address4 = ?3, address6 = ?4, mac = ?5 WHERE container_id = "
                 "?1 AND network_id = ?2"));
  update.bind(1, container).bind(2, network.id).bind(5, lease.mac.text());
  bind_key(update, 3, lease.v4);
  bind_key(update, 4, lease.v6);
  TRY(update.run());
  if (db.changes() == 0) return fail("the container is not in the network {}", network.name);
  return lease;
}

Result<> release_leases(store::Database& db, std::string_view container) {
  for (const char* sql : {"UPDATE network_attachments SET address4 = NULL, address6 = NULL, mac = NULL WHERE "
                          "container_id = ?",
                          "UPDATE published_ports SET held = 0 WHERE container_id = ?"}) {
    store::Statement statement = TRY(db.prepare(sql));
    TRY(statement.bind(1, container).run());
  }
  return {};
}

Result<std::optional<Lease>> find_lease(store::Database& db, std::string_view container,
                                        std::string_view network_id) {
  store::Statement query =
      TRY(db.prepare("SELECT address4, address6, mac FROM network_attachments WHERE container_id = ? AND "
                     "network_id = ? AND mac IS NOT NULL"));
  query.bind(1, container).bind(2, network_id);
  if (!TRY(query.step())) return std::nullopt;
  return read_lease(query, 0);
}

Result<std::vector<LeaseHolder>> lease_holders(store::Database& db, std::string_view network_id) {
  store::Statement query = TRY(
      db.prepare("SELECT id, name, address4, address6, mac FROM network_attachments JOIN containers ON id = "
                 "container_id WHERE network_id = ? AND mac IS NOT NULL ORDER BY address4, address6"));
  query.bind(1, network_id);
  std::vector<LeaseHolder> holders;
  while (TRY(query.step())) holders.push_back({query.text(0), query.text(1), read_lease(query, 2)});
  return holders;
}

Result<std::vector<NameEntry>> name_entries(store::Database& db) {
  store::Statement query =
      TRY(db.prepare("SELECT bridge, containers.id, containers.name, address4, address6, mac, aliases, "
                     "nameservers FROM networks "
                     "JOIN network_attachments ON network_id = networks.id JOIN containers ON containers.id "
                     "= container_id WHERE "
                     "dns AND mac IS NOT NULL ORDER BY bridge, address4, address6"));
  std::vector<NameEntry> entries;
  while (TRY(query.step())) {
    entries.push_back(
        {query.text(0), query.text(1), query.text(2), read_lease(query, 3), query.text(6), query.text(7)});
  }
  return entries;
}

Result<std::vector<std::string>> holders_not_running(store::Database& db) {
  // Whoever has ports has addresses as well. The index of MAC addresses has nobody else.
  store::Statement query = TRY(
      db.prepare("SELECT DISTINCT container_id FROM network_attachments JOIN containers ON id = container_id "
                 "WHERE mac IS NOT NULL AND state <> 'running'"));
  return query.texts();
}

}  // namespace berth::ledger
