#include "ledger/networks.h"

#include <algorithm>
#include <array>

#include "base/fields.h"
#include "base/nearest.h"

namespace berth::ledger {

namespace {

constexpr std::string_view kColumns = "id, project, name, bridge, created_at, internal, dns, mtu, labels";
constexpr size_t kIdLength = 64;

net::Address address_of(const store::Statement& row, int column, bool v6) {
  return net::Address::from_key(row.text(column), v6).value_or(net::Address());
}

Result<std::vector<NetworkSubnet>> subnets_of(store::Database& db, std::string_view id) {
  store::Statement query =
      TRY(db.prepare("SELECT v6, first, prefix, gateway, range_first, range_last FROM network_subnets WHERE "
                     "network_id = ? ORDER BY v6"));
  query.bind(1, id);
  std::vector<NetworkSubnet> subnets;
  while (TRY(query.step())) {
    const bool v6 = query.number(0) != 0;
    const auto subnet =
        net::Subnet::containing(address_of(query, 1, v6), static_cast<unsigned>(query.number(2)));
    if (!subnet) return fail("the record of a network's subnet can't be read");
    subnets.push_back(
        {*subnet, address_of(query, 3, v6), address_of(query, 4, v6), address_of(query, 5, v6)});
  }
  return subnets;
}

Result<Network> read_row(store::Database& db, const store::Statement& row) {
  Network network{.id = row.text(0),
                  .project = row.text(1),
                  .name = row.text(2),
                  .bridge = row.text(3),
                  .created_at = row.number(4),
                  .internal = row.number(5) != 0,
                  .dns = row.number(6) != 0,
                  .mtu = static_cast<uint32_t>(row.number(7)),
                  .labels = row.text(8)};
  network.subnets = TRY(subnets_of(db, network.id));
  return network;
}

std::unexpected<Error> no_such_network(store::Database& db, std::string_view project, std::string_view word) {
  const std::string where = project.empty() ? "" : fmt::format(" in project {}", project);
  Error error{Code::not_found, 0, fmt::format("there is no network \"{}\"{}", word, where), {}};
  std::vector<std::string> names;
  if (Result<store::Statement> query = db.prepare("SELECT name FROM networks WHERE project = ? LIMIT 1000")) {
    query->bind(1, project);
    if (Result<std::vector<std::string>> found = query->texts()) names = std::move(*found);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(word, views);
  error.hint = near.empty() ? "`berth network ls` lists the networks, `berth network create` makes one."
                            : fmt::format("Did you mean {}?", near);
  return std::unexpected(std::move(error));
}

Result<> check_subnets_free(store::Database& db, const Network& network) {
  for (const Network& other : TRY(list_networks(db))) {
    for (const NetworkSubnet& theirs : other.subnets) {
      for (const NetworkSubnet& wanted : network.subnets) {
        if (!wanted.subnet.overlaps(theirs.subnet)) continue;
        // Another project's network is told by nothing but its being there.
        const std::string whose = other.project == network.project ? other.name : "of another project";
        return fail(Code::conflict, "the subnet {} has addresses of the network {}, which has {}",
                    wanted.subnet.text(), whose, theirs.subnet.text());
      }
    }
  }
  return {};
}

Result<> insert_subnet(store::Database& db, const std::string& id, const NetworkSubnet& subnet) {
  store::Statement insert = TRY(db.prepare(
      "INSERT INTO network_subnets (network_id, v6, first, prefix, gateway, range_first, range_last) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)"));
  insert.bind(1, id).bind(2, int64_t{subnet.subnet.is_v6()}).bind(3, subnet.subnet.first().key());
  insert.bind(4, int64_t{subnet.subnet.prefix()}).bind(5, subnet.gateway.key());
  return insert.bind(6, subnet.range_first.key()).bind(7, subnet.range_last.key()).run();
}

}  // namespace

Result<> check_network_name(std::string_view name) {
  constexpr size_t kLongest = 128;
  constexpr std::string_view kAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const bool good =
      !name.empty() && name.size() <= kLongest &&
      kAlphanumeric.find(name.front()) != std::string_view::npos &&
      name.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") ==
          std::string_view::npos;
  if (!good) {
    return fail(Code::usage,
                "the network's name \"{}\" is not a letter or digit and then letters, digits, _, . and -, "
                "128 at most",
                printable(name.substr(0, kLongest)));
  }
  constexpr std::array<std::string_view, 9> kTaken{"none", "host",    "container", "default",    "ns",
                                                   "pod",  "private", "pasta",     "slirp4netns"};
  if (std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end()) return {};
  return fail(Code::usage, "a network can't be called {}, which means something else to --network", name);
}

Result<> insert_network(store::Database& db, const Network& network) {
  store::Statement taken = TRY(db.prepare("SELECT 1 FROM networks WHERE project = ? AND name = ?"));
  if (TRY(taken.bind(1, network.project).bind(2, network.name).step()))
    return fail(Code::conflict, "there is a network {} already", network.name);
  TRY(check_subnets_free(db, network));
  store::Statement insert =
      TRY(db.prepare(fmt::format("INSERT INTO networks ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", kColumns)));
  insert.bind(1, network.id).bind(2, network.project).bind(3, network.name).bind(4, network.bridge);
  insert.bind(5, network.created_at).bind(6, int64_t{network.internal}).bind(7, int64_t{network.dns});
  TRY(insert.bind(8, int64_t{network.mtu}).bind(9, network.labels).run());
  for (const NetworkSubnet& subnet : network.subnets) TRY(insert_subnet(db, network.id, subnet));
  return {};
}

Result<Network> find_network(store::Database& db, std::string_view project, std::string_view word) {
  store::Statement exact = TRY(db.prepare(
      fmt::format("SELECT {} FROM networks WHERE project = ?1 AND (name = ?2 OR id = ?2)", kColumns)));
  if (TRY(exact.bind(1, project).bind(2, word).step())) return read_row(db, exact);
  const bool hexadecimal = word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (word.empty() || !hexadecimal || word.size() > kIdLength) return no_such_network(db, project, word);
  store::Statement prefix = TRY(db.prepare(fmt::format(
      "SELECT {} FROM networks WHERE project = ?1 AND id >= ?2 AND id < ?2 || 'g' LIMIT 2", kColumns)));
  prefix.bind(1, project).bind(2, word);
  if (!TRY(prefix.step())) return no_such_network(db, project, word);
  Network found = TRY(read_row(db, prefix));
  if (TRY(prefix.step())) return fail(Code::usage, "several networks have an ID that begins with {}", word);
  return found;
}

Result<Network> network_by_id(store::Database& db, std::string_view id) {
  store::Statement query = TRY(db.prepare(fmt::format("SELECT {} FROM networks WHERE id = ?", kColumns)));
  query.bind(1, id);
  if (TRY(query.step())) return read_row(db, query);
  return fail(Code::not_found, "the network {} has been removed", id.substr(0, 12));
}

Result<std::vector<Network>> list_networks(store::Database& db) {
  store::Statement query =
      TRY(db.prepare(fmt::format("SELECT {} FROM networks ORDER BY project, name", kColumns)));
  std::vector<Network> networks;
  while (TRY(query.step())) networks.push_back(TRY(read_row(db, query)));
  return networks;
}

Result<std::vector<net::Subnet>> subnets_of_networks(store::Database& db) {
  std::vector<net::Subnet> subnets;
  for (const Network& network : TRY(list_networks(db))) {
    for (const NetworkSubnet& subnet : network.subnets) subnets.push_back(subnet.subnet);
  }
  return subnets;
}

Result<uint32_t> free_bridge_number(store::Database& db, std::string_view prefix) {
  store::Statement query = TRY(db.prepare("SELECT bridge FROM networks"));
  std::vector<uint32_t> taken;
  while (TRY(query.step())) {
    const std::string name = query.text(0);
    if (!name.starts_with(prefix)) continue;
    if (const auto number = whole_number<uint32_t>(std::string_view(name).substr(prefix.size())))
      taken.push_back(*number);
  }
  std::sort(taken.begin(), taken.end());
  uint32_t number = 0;
  for (const uint32_t other : taken) {
    if (other == number) ++number;
  }
  return number;
}

Result<> delete_network(store::Database& db, const Network& network) {
  const std::vector<NetworkUser> users = TRY(users_of_network(db, network.id));
  if (!users.empty()) {
    std::vector<std::string> names;
    for (const NetworkUser& user : users) names.push_back(user.name);
    Error error{Code::conflict, 0,
                fmt::format("the network {} is used by {}", network.name, fmt::join(names, ", ")),
                "`berth network rm --force` removes the containers too."};
    return std::unexpected(std::move(error));
  }
  for (const char* sql :
       {"DELETE FROM network_subnets WHERE network_id = ?", "DELETE FROM networks WHERE id = ?"}) {
    store::Statement statement = TRY(db.prepare(sql));
    TRY(statement.bind(1, network.id).run());
  }
  return {};
}

Result<std::vector<NetworkUser>> users_of_network(store::Database& db, std::string_view network_id) {
  store::Statement query = TRY(db.prepare(
      "SELECT id, name FROM network_attachments JOIN containers ON id = container_id WHERE network_id = ? "
      "ORDER BY name"));
  query.bind(1, network_id);
  std::vector<NetworkUser> users;
  while (TRY(query.step())) users.push_back({query.text(0), query.text(1)});
  return users;
}

}  // namespace berth::ledger
