#include "ledger/projects.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/nearest.h"

namespace berth::ledger {

namespace {

constexpr std::string_view kColumns = "name, number, created_at, policy, quota, labels, annotations";
// All numbers below it have been given at some time.
constexpr std::string_view kNextNumber = "next_project_number";

Owner owner_of(std::string_view name) {
  return {std::string(kProjectKind), std::string(name)};
}

Project read_row(const store::Statement& row) {
  Project project{.name = row.text(0),
                  .number = static_cast<uint32_t>(row.number(1)),
                  .created_at = row.number(2),
                  .policy = row.text(3),
                  .quota = std::nullopt,
                  .labels = row.text(5),
                  .annotations = row.text(6)};
  if (!row.is_null(4)) project.quota = row.number(4);
  return project;
}

std::unexpected<Error> no_such_project(store::Database& db, std::string_view name) {
  const Result<std::vector<Project>> projects = list_projects(db);
  if (!projects) return std::unexpected(projects.error());
  std::vector<std::string_view> names;
  for (const Project& project : *projects) names.push_back(project.name);
  const std::string_view near = nearest(name, names);
  Error error{Code::not_found, 0, fmt::format("there is no project \"{}\"", name), {}};
  return std::unexpected(std::move(error).with_hint(
      near.empty() ? "`berth project ls` lists the projects; `berth project create` makes one."
                   : fmt::format("Did you mean {}?", near)));
}

// The project that has a number, or that had it and whose number rests still.
struct Holder {
  std::string project;
  int64_t rests_until = 0;  // nanoseconds since 1970; 0: the project is there
};

Result<std::optional<Holder>> holder_of(store::Database& db, int64_t number) {
  store::Statement held = TRY(db.prepare("SELECT name FROM projects WHERE number = ?"));
  held.bind(1, number);
  if (TRY(held.step())) return Holder{held.text(0), 0};
  store::Statement freed =
      TRY(db.prepare("SELECT project, freed_at FROM freed_project_numbers WHERE number = ?"));
  freed.bind(1, number);
  if (!TRY(freed.step())) return std::nullopt;
  return Holder{freed.text(0), freed.number(1) + kRestSeconds * kNanoseconds};
}

Result<int64_t> next_number(store::Database& db) {
  store::Statement query = TRY(db.prepare("SELECT CAST(value AS INTEGER) FROM settings WHERE key = ?"));
  query.bind(1, kNextNumber);
  return TRY(query.step()) ? query.number(0) : 0;
}

Result<> set_next_number(store::Database& db, int64_t number) {
  store::Statement insert = TRY(db.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)"));
  return insert.bind(1, kNextNumber).bind(2, std::to_string(number)).run();
}

// The lowest number that nobody ever had. What was chosen by hand is stepped over once.
Result<int64_t> lowest_fresh(store::Database& db) {
  const int64_t first = TRY(next_number(db));
  int64_t number = first;
  while (number < kProjectNumbers && TRY(holder_of(db, number))) ++number;
  if (number != first) TRY(set_next_number(db, number));
  return number;
}

Result<std::optional<int64_t>> lowest_rested(store::Database& db, int64_t now) {
  // Nearly always there is none, and it must not take a look at all that rest to know that.
  store::Statement first = TRY(db.prepare("SELECT min(freed_at) FROM freed_project_numbers"));
  TRY(first.step());
  if (first.is_null(0) || first.number(0) > now - kRestSeconds * kNanoseconds) return std::nullopt;
  store::Statement query =
      TRY(db.prepare("SELECT number FROM freed_project_numbers WHERE freed_at <= ? ORDER BY number LIMIT 1"));
  query.bind(1, now - kRestSeconds * kNanoseconds);
  if (!TRY(query.step())) return std::nullopt;
  return query.number(0);
}

Result<int64_t> lowest_free(store::Database& db, int64_t now) {
  const int64_t fresh = TRY(lowest_fresh(db));
  if (const auto rested = TRY(lowest_rested(db, now)); rested && *rested < fresh) return *rested;
  if (fresh < kProjectNumbers) return fresh;
  return fail(Code::conflict,
              "no number of a project is free: all {} are held by projects or rest for an hour after one",
              kProjectNumbers);
}

Result<> check_number(store::Database& db, int64_t number, int64_t now) {
  if (number >= kProjectNumbers) {
    return fail(Code::usage, "{} is no number of a project: they are 0 to {}", number, kProjectNumbers - 1);
  }
  const std::optional<Holder> holder = TRY(holder_of(db, number));
  if (!holder) return {};
  if (holder->rests_until == 0) {
    return fail(Code::conflict, "the number {} is the project {}'s", number, holder->project);
  }
  constexpr int64_t kMinute = 60 * kNanoseconds;
  const int64_t left = holder->rests_until - now;
  if (left <= 0) return {};
  Error error{Code::conflict, 0,
              fmt::format("the number {} rests for another {} minutes: the project {} had it before", number,
                          (left + kMinute - 1) / kMinute, holder->project),
              "Files and processes of that project may still be found meanwhile; leave --number out."};
  return std::unexpected(std::move(error));
}

Result<> insert_row(store::Database& db, const Project& project) {
  store::Statement insert =
      TRY(db.prepare(fmt::format("INSERT INTO projects ({}) VALUES (?, ?, ?, ?, ?, ?, ?)", kColumns)));
  insert.bind(1, project.name).bind(2, int64_t{project.number}).bind(3, project.created_at);
  insert.bind(4, project.policy).bind(6, project.labels).bind(7, project.annotations);
  if (project.quota) {
    insert.bind(5, *project.quota);
  } else {
    insert.bind_null(5);
  }
  TRY(insert.run());
  store::Statement taken = TRY(db.prepare("DELETE FROM freed_project_numbers WHERE number = ?"));
  return taken.bind(1, int64_t{project.number}).run();
}

Result<> let_rest(store::Database& db, const RestingNumber& number) {
  store::Statement rest = TRY(db.prepare(
      "INSERT OR REPLACE INTO freed_project_numbers (number, freed_at, project) VALUES (?, ?, ?)"));
  return rest.bind(1, int64_t{number.number}).bind(2, number.freed_at).bind(3, number.project).run();
}

Result<> take_banks(store::Database& db, const NewProject& wanted, const HostSources& host) {
  for (uint32_t i = 0; i < kBanksOfProject; ++i) {
    const Result<Bank> bank = allocate_bank(db, owner_of(wanted.name), host, wanted.bank_quota);
    if (bank) continue;
    Error error = bank.error();
    if (error.code != Code::conflict) return std::unexpected(std::move(error));
    error.message = fmt::format("a project needs {} banks, so a host has {} projects at most: {}",
                                kBanksOfProject, kMostProjects, error.message);
    return std::unexpected(std::move(error));
  }
  return {};
}

std::string names_of(const std::vector<User>& containers) {
  constexpr size_t kMost = 10;
  std::vector<std::string_view> names;
  for (const User& user : containers) {
    if (names.size() == kMost) break;
    names.push_back(user.name);
  }
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (containers.size() > kMost) text += fmt::format(" and {} more", containers.size() - kMost);
  return text;
}

bool is_label(std::string_view name) {
  constexpr size_t kLongest = 63;  // RFC 1123
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.size() <= kLongest && name.front() != '-' && name.back() != '-' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

std::string range_text(uint32_t number) {
  return fmt::format("{}/{}", assigned_range(number).begin, kAssignedIds);
}

Result<idmap::IdMap> project_map(uint32_t number, Bank first, Bank second) {
  if (number >= kProjectNumbers) {
    return fail(Code::usage, "{} is no number of a project: they are 0 to {}", number, kProjectNumbers - 1);
  }
  const auto inside = static_cast<uint32_t>(assigned_range(number).begin);
  return idmap::IdMap::from_extents({{0, first.base(), kBankSize}, {inside, second.base(), kAssignedIds}});
}

Result<Project> create_project(store::Database& db, const NewProject& wanted, const HostSources& host) {
  TRY(check_project_name(wanted.name));
  store::Statement taken = TRY(db.prepare("SELECT 1 FROM projects WHERE name = ?"));
  if (TRY(taken.bind(1, wanted.name).step()))
    return fail(Code::conflict, "there is a project \"{}\" already", wanted.name);
  const int64_t now = host.now();
  if (wanted.number) TRY(check_number(db, *wanted.number, now));
  const uint32_t number = wanted.number ? *wanted.number : TRY(free_project_number(db, host));
  TRY(take_banks(db, wanted, host));
  Project project{.name = wanted.name,
                  .number = number,
                  .created_at = now / kNanoseconds,
                  .policy = wanted.policy,
                  .quota = wanted.quota,
                  .labels = wanted.labels,
                  .annotations = wanted.annotations};
  TRY(insert_row(db, project));
  return project;
}

Result<uint32_t> free_project_number(store::Database& db, const HostSources& host) {
  return static_cast<uint32_t>(TRY(lowest_free(db, host.now())));
}

Result<Project> find_project(store::Database& db, std::string_view name) {
  store::Statement query = TRY(db.prepare(fmt::format("SELECT {} FROM projects WHERE name = ?", kColumns)));
  query.bind(1, name);
  if (!TRY(query.step())) return no_such_project(db, name);
  return read_row(query);
}

Result<std::vector<Project>> list_projects(store::Database& db) {
  store::Statement query = TRY(db.prepare(fmt::format("SELECT {} FROM projects ORDER BY name", kColumns)));
  std::vector<Project> projects;
  while (TRY(query.step())) projects.push_back(read_row(query));
  return projects;
}

Result<> remove_project(store::Database& db, std::string_view name, const HostSources& host) {
  const Project project = TRY(find_project(db, name));
  const std::vector<User> containers = TRY(containers_of_project(db, name));
  if (!containers.empty()) {
    Error error{Code::conflict, 0,
                fmt::format("project {} has {} container{}: {}", name, containers.size(),
                            containers.size() == 1 ? "" : "s", names_of(containers)),
                "`berth rm` removes containers; `berth project rm --force` removes a project's with it."};
    return std::unexpected(std::move(error));
  }
  TRY(free_banks_of(db, owner_of(name), host));
  TRY(let_rest(db, {project.number, host.now(), project.name}));
  store::Statement gone = TRY(db.prepare("DELETE FROM projects WHERE name = ?"));
  return gone.bind(1, name).run();
}

Result<std::vector<User>> containers_of_project(store::Database& db, std::string_view name) {
  store::Statement query = TRY(db.prepare("SELECT id, name FROM containers WHERE project = ? ORDER BY name"));
  query.bind(1, name);
  std::vector<User> containers;
  while (TRY(query.step())) containers.push_back({query.text(0), query.text(1)});
  return containers;
}

Result<> check_quota(store::Database& db, const Project& project) {
  if (!project.quota) return {};
  const std::vector<User> containers = TRY(containers_of_project(db, project.name));
  if (static_cast<int64_t>(containers.size()) < *project.quota) return {};
  Error error{Code::conflict, 0,
              fmt::format("project {} has a quota of {} container{} and has {}{}{}", project.name,
                          *project.quota, *project.quota == 1 ? "" : "s", containers.size(),
                          containers.empty() ? "" : ": ", names_of(containers)),
              "A stopped container counts until it is removed: `berth rm`."};
  return std::unexpected(std::move(error));
}

Result<std::vector<Bank>> banks_of_project(store::Database& db, std::string_view name) {
  std::vector<Bank> banks = TRY(banks_of(db, owner_of(name)));
  if (banks.size() >= kBanksOfProject) return banks;
  return fail("project {} has {} of its {} banks in the ledger: it is damaged", name, banks.size(),
              kBanksOfProject);
}

Result<idmap::IdMap> map_of_project(store::Database& db, const Project& project) {
  const std::vector<Bank> banks = TRY(banks_of_project(db, project.name));
  return project_map(project.number, banks[0], banks[1]);
}

Result<bool> restore_project(store::Database& db, const Project& project) {
  TRY(check_project_name(project.name));
  store::Statement taken = TRY(db.prepare("SELECT 1 FROM projects WHERE name = ? OR number = ?"));
  taken.bind(1, project.name).bind(2, int64_t{project.number});
  if (project.number >= kProjectNumbers || TRY(taken.step())) return false;
  TRY(insert_row(db, project));
  return true;
}

Result<std::vector<RestingNumber>> resting_numbers(store::Database& db, const HostSources& host) {
  store::Statement query = TRY(db.prepare(
      "SELECT number, freed_at, project FROM freed_project_numbers WHERE freed_at > ? ORDER BY number"));
  query.bind(1, host.now() - kRestSeconds * kNanoseconds);
  std::vector<RestingNumber> resting;
  while (TRY(query.step()))
    resting.push_back({static_cast<uint32_t>(query.number(0)), query.number(1), query.text(2)});
  return resting;
}

Result<> restore_resting_number(store::Database& db, const RestingNumber& resting, const HostSources& host) {
  TRY(check_project_name(resting.project));
  store::Statement taken = TRY(db.prepare("SELECT 1 FROM projects WHERE number = ?"));
  if (resting.number >= kProjectNumbers || TRY(taken.bind(1, int64_t{resting.number}).step())) return {};
  // A time that lies in the future is from before the clock was set back.
  return let_rest(db, {resting.number, std::min(resting.freed_at, host.now()), resting.project});
}

Result<> check_project_name(std::string_view name) {
  if (is_label(name)) return {};
  Error error{Code::usage, 0, fmt::format("\"{}\" can't be a project's name", name), {}};
  return std::unexpected(
      std::move(error).with_hint("A name is small letters, digits and hyphens, 63 at most, and begins and "
                                 "ends with a letter or digit."));
}

}  // namespace berth::ledger
