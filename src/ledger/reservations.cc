#include "ledger/reservations.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ledger/banks.h"
#include "ledger/foreign_namespaces.h"
#include "ledger/host_files.h"
#include "sys/file.h"

namespace berth::ledger {

namespace {

constexpr size_t kFileLimit = size_t{64} << 20;
constexpr std::string_view kSetting =
    "foreign_namespaces";  // "<seconds since 1970> <begin>-<end> <begin>-<end> …"
constexpr idmap::IdRange kPoolIds{idmap::range_of(kFirstBank).begin, idmap::range_of(kLastBank).end};

Result<std::string> read_if_there(int dirfd, const std::string& name) {
  Result<std::string> text = sys::read_file_at(dirfd, name, kFileLimit);
  if (!text && text.error().err == ENOENT) return std::string();
  return text;
}

// nss-systemd answers from the host's files, from systemd's own users (far below the pool), and from what the
// places below name. Loading it takes 2 ms and asking 0.1 ms, so it is asked only where it may know
// something.
bool systemd_user_database_is_fed() {
  constexpr std::array<const char*, 5> kPlaces{"/run/systemd/userdb/io.systemd.NamespaceResource",
                                               "/etc/userdb", "/run/userdb", "/run/host/userdb",
                                               "/usr/lib/userdb"};
  for (const char* place : kPlaces) {
    if (::access(place, F_OK) == 0) return true;
  }
  return false;
}

bool needs_name_service(std::string_view nsswitch) {
  const NameServices services = name_services(nsswitch);
  return services.others || (services.systemd && systemd_user_database_is_fed());
}

struct Seen {
  int64_t at = 0;
  std::vector<idmap::IdRange> ranges;
};

Seen parse_seen(std::string_view text) {
  Seen seen;
  const auto take = [&](auto& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (!text.empty()) text.remove_prefix(1);
    return true;
  };
  if (!take(seen.at)) return {};
  while (!text.empty()) {
    idmap::IdRange range;
    if (!take(range.begin) || !take(range.end)) return {};
    seen.ranges.push_back(range);
  }
  return seen;
}

Result<Seen> recorded(store::Database& db) {
  store::Statement statement = TRY(db.prepare("SELECT value FROM settings WHERE key = ?"));
  statement.bind(1, kSetting);
  if (!TRY(statement.step())) return Seen{};
  return parse_seen(statement.text(0));
}

// Whether berth's own ledger has an owner for the bank of a host ID.
class HeldBanks {
 public:
  static Result<HeldBanks> open(store::Database& db) {
    return HeldBanks(TRY(db.prepare("SELECT 1 FROM banks WHERE number = ? AND owner IS NOT NULL")));
  }
  Result<bool> have(HostUid uid) {
    const idmap::IdRange only{uid.value(), uint64_t{uid.value()} + 1};
    if (!only.overlaps(kPoolIds)) return false;
    statement_.reset();
    statement_.bind(1, int64_t{uid.value() / kBankSize});
    return statement_.step();
  }

 private:
  explicit HeldBanks(store::Statement statement) : statement_(std::move(statement)) {}
  store::Statement statement_;
};

Result<std::vector<idmap::IdRange>> foreign_in_pool(store::Database& db, const std::string& proc) {
  HeldBanks held = TRY(HeldBanks::open(db));
  std::vector<idmap::IdRange> ranges = TRY(mapped_ranges(proc, [&](HostUid uid) { return held.have(uid); }));
  std::erase_if(ranges, [](const idmap::IdRange& range) { return !range.overlaps(kPoolIds); });
  return ranges;
}

Result<> record(store::Database& db, const Seen& seen) {
  std::string value = fmt::format("{}", seen.at);
  for (const idmap::IdRange& range : seen.ranges) value += fmt::format(" {}-{}", range.begin, range.end);
  store::Statement statement = TRY(db.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)"));
  statement.bind(1, kSetting).bind(2, value);
  return statement.run();
}

Result<std::vector<idmap::IdRange>> foreign_ranges(store::Database& db, const HostSources& host) {
  const int64_t now = host.now() / kNanoseconds;
  Seen seen = TRY(recorded(db));
  // A record from the future is one from before the clock was set back.
  if (seen.at <= now && now - seen.at < Reservations::kLookIntervalSeconds) return std::move(seen.ranges);
  seen = {now, TRY(foreign_in_pool(db, host.proc))};
  TRY(record(db, seen));
  return std::move(seen.ranges);
}

// What containers map outside all banks (host_ranges.h).
Result<> add_recorded_ranges(store::Database& db, std::vector<idmap::IdRange>& ranges) {
  store::Statement query = TRY(db.prepare("SELECT first, last FROM container_ranges"));
  while (TRY(query.step())) {
    ranges.push_back({static_cast<uint64_t>(query.number(0)), static_cast<uint64_t>(query.number(1)) + 1});
  }
  return {};
}

}  // namespace

bool runs_processes(uint32_t uid) {
  errno = 0;
  return ::getpriority(PRIO_USER, uid) != -1 || errno != ESRCH;
}

bool user_known_to_name_service(uint32_t id) {
  return ::getpwuid(id) != nullptr;
}

bool group_known_to_name_service(uint32_t id) {
  return ::getgrgid(id) != nullptr;
}

Result<bool> asks_name_service(const std::string& etc) {
  return needs_name_service(TRY(read_if_there(AT_FDCWD, etc + "/nsswitch.conf")));
}

Result<Reservations> Reservations::look(store::Database& db, const HostSources& host) {
  Reservations found;
  const sys::UniqueFd etc = TRY(sys::open_at(AT_FDCWD, host.etc, O_PATH | O_DIRECTORY));
  std::vector<idmap::IdRange> ranges = TRY(foreign_ranges(db, host));
  TRY(add_recorded_ranges(db, ranges));
  add_account_ids(TRY(read_if_there(etc.get(), "passwd")), false, ranges);
  add_account_ids(TRY(read_if_there(etc.get(), "group")), true, ranges);
  add_subordinate_ranges(TRY(read_if_there(etc.get(), "subuid")), "berth", ranges);
  add_subordinate_ranges(TRY(read_if_there(etc.get(), "subgid")), "berth", ranges);
  if (host.rules.allowed) {
    for (const idmap::IdRange& range : idmap::subtract(kPoolIds, *host.rules.allowed))
      ranges.push_back(range);
  }
  std::erase_if(ranges, [](const idmap::IdRange& range) { return !range.overlaps(kPoolIds); });
  found.ranges_ = idmap::normalized(std::move(ranges));
  found.ask_name_service_ = needs_name_service(TRY(read_if_there(etc.get(), "nsswitch.conf")));
  found.knows_user_ = host.knows_user;
  found.knows_group_ = host.knows_group;
  found.runs_processes_ = host.runs_processes;
  return found;
}

bool Reservations::covers(Bank bank) const {
  const idmap::IdRange ids = idmap::range_of(bank);
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const idmap::IdRange& range) { return range.overlaps(ids); });
}

bool Reservations::is_known_or_runs(Bank bank) const {
  if (runs_processes_(bank.base())) return true;
  return ask_name_service_ && (knows_user_(bank.base()) || knows_group_(bank.base()));
}

}  // namespace berth::ledger
