#include "engine/audit/id_facts.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>

#include <fcntl.h>

#include "base/clock.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/volumes/mount_ids.h"
#include "ledger/bank_numbers.h"
#include "ledger/projects.h"
#include "store/containers.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kFileLimit = size_t{64} << 20;

Result<std::vector<IdLine>> look_at_files(const std::string& etc) {
  std::vector<IdLine> lines;
  for (const IdFile file : {IdFile::passwd, IdFile::group, IdFile::subuid, IdFile::subgid}) {
    constexpr size_t kOfEtc = std::string_view("/etc").size();
    const Result<std::string> text =
        sys::read_file_at(AT_FDCWD, etc + std::string(path_of(file).substr(kOfEtc)), kFileLimit);
    if (!text && text.error().err != ENOENT) return std::unexpected(text.error());
    for (IdLine& line : read_id_lines(text.value_or(""), file)) lines.push_back(std::move(line));
  }
  return lines;
}

Result<std::vector<BankFacts>> look_at_banks(store::Database& db) {
  // What a container is called, also one that is gone.
  store::Statement query = TRY(db.prepare(
      "SELECT number, owner_kind, owner, since, freed_at, last_owner_kind, last_owner, "
      "coalesce(containers.name, CASE WHEN owner IS NULL THEN last_owner_name END) "
      "FROM banks LEFT JOIN containers ON containers.id = coalesce(owner, last_owner) ORDER BY number"));
  std::vector<BankFacts> banks;
  while (TRY(query.step())) {
    BankFacts bank{.bank = Bank(static_cast<uint16_t>(query.number(0)))};
    const bool held = !query.is_null(2);
    const ledger::Owner owner{query.text(held ? 1 : 5), query.text(held ? 2 : 6)};
    constexpr size_t kShortId = 12;
    const bool gone = query.is_null(7);
    bank.owner_name = !gone                       ? query.text(7)
                      : owner.kind == "container" ? owner.id.substr(0, kShortId)
                                                  : owner.id;
    if (held) bank.owner = owner;
    bank.since = held ? query.number(3) : query.number(4) / kNanoseconds;
    banks.push_back(std::move(bank));
  }
  return banks;
}

std::vector<idmap::Extent> extents_of(const std::string& map) {
  const Result<idmap::IdMap> parsed = idmap::IdMap::parse(map);
  if (!parsed) return {};
  return {parsed->extents().begin(), parsed->extents().end()};
}

// The second column of rows that say something of containers, by the container.
template <typename Value, typename Read>
Result<std::map<std::string, std::vector<Value>>> by_container(store::Database& db, std::string_view sql,
                                                               Read read) {
  store::Statement query = TRY(db.prepare(sql));
  std::map<std::string, std::vector<Value>> values;
  while (TRY(query.step())) values[query.text(0)].push_back(read(query));
  return values;
}

std::vector<idmap::IdRange> insides(const std::vector<idmap::Extent>& extents) {
  std::vector<idmap::IdRange> ranges;
  for (const idmap::Extent& extent : extents) ranges.push_back(idmap::inside_of(extent));
  return ranges;
}

void add_on_disk(const std::vector<IdTriple>& triples, const std::vector<idmap::Extent>& map,
                 std::vector<idmap::IdRange>& ranges) {
  for (const IdTriple& triple : triples)
    ranges.push_back({triple.disk, uint64_t{triple.disk} + triple.count});
  if (!triples.empty()) return;
  const std::vector<idmap::IdRange> inside = insides(map);
  ranges.insert(ranges.end(), inside.begin(), inside.end());
}

// A volume without a mount that says anything is one of the container's in the ordinary way.
VolumeUse volume_use(const std::string& name, const ContainerSpec* spec, const ContainerFacts& container) {
  VolumeUse use{.name = name};
  for (const MountSpec& mount : spec != nullptr ? std::span(spec->mounts) : std::span<const MountSpec>()) {
    if (mount.type != "volume" || mount.volume != name) continue;
    const MountIds ids = mount_ids(mount).value_or(MountIds{});
    add_on_disk(ids.uids, container.users, use.users);
    add_on_disk(ids.gids, container.groups, use.groups);
  }
  if (use.users.empty()) use.users = insides(container.users);
  if (use.groups.empty()) use.groups = insides(container.groups);
  return use;
}

Result<std::vector<ContainerFacts>> look_at_containers(store::Store& store) {
  auto banks = TRY(by_container<Bank>(
      store.db(),
      "SELECT owner, number FROM banks WHERE owner_kind = 'container' UNION "
      "SELECT container_id, bank FROM container_banks ORDER BY 2",
      [](const store::Statement& row) { return Bank(static_cast<uint16_t>(row.number(1))); }));
  auto ranges = TRY(by_container<idmap::IdRange>(
      store.db(), "SELECT container_id, first, last FROM container_ranges ORDER BY first",
      [](const store::Statement& row) {
        return idmap::IdRange{static_cast<uint64_t>(row.number(1)), static_cast<uint64_t>(row.number(2)) + 1};
      }));
  auto volumes = TRY(by_container<std::string>(
      store.db(), "SELECT container_id, volume FROM container_volumes ORDER BY volume",
      [](const store::Statement& row) { return row.text(1); }));
  std::vector<ContainerFacts> containers;
  for (const store::ContainerRecord& record : TRY(store::list_containers(store.db()))) {
    const std::optional<LiveStatus> live = live_status(store, record.id);
    const Result<ContainerSpec> spec = container_spec_from_json(record.spec);
    containers.push_back({.id = record.id,
                          .name = record.name,
                          .project = record.project,
                          .pid = live ? live->pid : 0,
                          .host_ids = record.uid_map.empty(),
                          .network = spec ? spec->network : "",
                          .userns = spec ? spec->userns : "",
                          .allow_shared_ids = spec && spec->allow_shared_ids,
                          .users = extents_of(record.uid_map),
                          .groups = extents_of(record.gid_map),
                          .banks = std::move(banks[record.id]),
                          .ranges = std::move(ranges[record.id])});
    for (const std::string& volume : volumes[record.id]) {
      containers.back().volumes.push_back(volume_use(volume, spec ? &*spec : nullptr, containers.back()));
    }
  }
  std::ranges::sort(containers, {}, &ContainerFacts::name);
  return containers;
}

Result<std::vector<ProjectFacts>> look_at_projects(store::Database& db) {
  std::vector<ProjectFacts> projects;
  for (const ledger::Project& project : TRY(ledger::list_projects(db)))
    projects.push_back({project.name, project.number, ledger::assigned_range(project.number)});
  std::ranges::sort(projects, {}, &ProjectFacts::number);
  return projects;
}

}  // namespace

Result<IdFacts> look_at_ids(store::Store& store, const ledger::HostSources& host) {
  IdFacts facts;
  facts.lines = TRY(look_at_files(host.etc));
  facts.banks = TRY(look_at_banks(store.db()));
  facts.containers = TRY(look_at_containers(store));
  facts.projects = TRY(look_at_projects(store.db()));
  std::vector<pid_t> pids;
  for (const ContainerFacts& container : facts.containers) {
    if (container.pid != 0 && !container.host_ids) pids.push_back(container.pid);
  }
  facts.running = TRY(look_at_processes(host.proc, pids));
  return facts;
}

std::string name_of(Bank bank) {
  return fmt::format("bank {}", ledger::number_of(bank));
}

std::string name_of_owner(const BankFacts& bank) {
  if (!bank.owner) return "nobody";
  if (bank.owner->kind != ledger::kNameKind) return fmt::format("{} {}", bank.owner->kind, bank.owner_name);
  return fmt::format("the {} {}", ledger::is_bank_number(bank.owner_name) ? "number" : "name",
                     bank.owner_name);
}

std::string text_of(const idmap::IdRange& ids) {
  if (ids.end <= ids.begin + 1) return fmt::format("{}", ids.begin);
  return fmt::format("{}-{}", ids.begin, ids.end - 1);
}

}  // namespace berth::engine
