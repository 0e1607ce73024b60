#include "ledger/published_ports.h"

#include <algorithm>

#include "net/address.h"

namespace berth::ledger {

namespace {

// Whether a socket bound to one would have what comes for the other.
bool share_address(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty() || one == other) return true;
  const auto a = net::Address::parse(one);
  const auto b = net::Address::parse(other);
  if (!a || !b || a->is_v6() != b->is_v6()) return false;
  return a->is_unspecified() || b->is_unspecified();
}

struct Holder {
  std::string container;
  HostPorts ports;
};

// Of other containers, those that have a port of `ports`.
Result<std::vector<Holder>> overlapping(store::Database& db, std::string_view container,
                                        const HostPorts& ports, bool held) {
  store::Statement query =
      TRY(db.prepare(fmt::format("SELECT container_id, host, first, last FROM published_ports WHERE protocol "
                                 "= ?1 AND first <= ?3 AND last "
                                 ">= ?2 AND container_id <> ?4{}",
                                 held ? " AND held" : "")));
  query.bind(1, ports.protocol).bind(2, int64_t{ports.first}).bind(3, int64_t{ports.last}).bind(4, container);
  std::vector<Holder> holders;
  while (TRY(query.step())) {
    HostPorts theirs{ports.protocol, query.text(1), static_cast<uint16_t>(query.number(2)),
                     static_cast<uint16_t>(query.number(3))};
    if (share_address(theirs.host, ports.host)) holders.push_back({query.text(0), std::move(theirs)});
  }
  return holders;
}

Result<std::vector<HostPorts>> ports_of(store::Database& db, std::string_view container) {
  store::Statement query =
      TRY(db.prepare("SELECT protocol, host, first, last FROM published_ports WHERE container_id = ?"));
  query.bind(1, container);
  std::vector<HostPorts> ports;
  while (TRY(query.step())) {
    ports.push_back({query.text(0), query.text(1), static_cast<uint16_t>(query.number(2)),
                     static_cast<uint16_t>(query.number(3))});
  }
  return ports;
}

std::unexpected<Error> taken(store::Database& db, const HostPorts& wanted, const Holder& holder) {
  const uint16_t port = std::max(wanted.first, holder.ports.first);
  const std::string& host = wanted.host.empty() ? holder.ports.host : wanted.host;
  std::string name = holder.container.substr(0, 12);
  if (Result<store::Statement> query = db.prepare("SELECT name FROM containers WHERE id = ?")) {
    query->bind(1, holder.container);
    if (const Result<bool> known = query->step(); known && *known) name = query->text(0);
  }
  const std::string where = host.empty() ? "" : fmt::format(" of {}", host);
  Error error{
      Code::conflict, 0,
      fmt::format("the host's port {}/{}{} is published by container {}", port, wanted.protocol, where, name),
      "Publish another one; with no port of the host's (--publish 80) berth takes one that is free."};
  return std::unexpected(std::move(error));
}

}  // namespace

bool clash(const HostPorts& one, const HostPorts& other) {
  return one.protocol == other.protocol && one.first <= other.last && other.first <= one.last &&
         share_address(one.host, other.host);
}

Result<> record_ports(store::Database& db, std::string_view container, std::span<const HostPorts> ports) {
  store::Statement forget = TRY(db.prepare("DELETE FROM published_ports WHERE container_id = ?"));
  TRY(forget.bind(1, container).run());
  for (const HostPorts& range : ports) {
    store::Statement insert = TRY(db.prepare(
        "INSERT INTO published_ports (container_id, protocol, host, first, last) VALUES (?, ?, ?, ?, ?)"));
    insert.bind(1, container).bind(2, range.protocol).bind(3, range.host);
    TRY(insert.bind(4, int64_t{range.first}).bind(5, int64_t{range.last}).run());
  }
  return {};
}

Result<> hold_ports(store::Database& db, std::string_view container) {
  const std::vector<HostPorts> ports = TRY(ports_of(db, container));
  if (ports.empty()) return {};
  for (const HostPorts& range : ports) {
    const std::vector<Holder> holders = TRY(overlapping(db, container, range, true));
    if (!holders.empty()) return taken(db, range, holders.front());
  }
  store::Statement update = TRY(db.prepare("UPDATE published_ports SET held = 1 WHERE container_id = ?"));
  return update.bind(1, container).run();
}

Result<bool> is_wanted(store::Database& db, std::string_view container, const HostPorts& ports) {
  return !TRY(overlapping(db, container, ports, false)).empty();
}

}  // namespace berth::ledger
