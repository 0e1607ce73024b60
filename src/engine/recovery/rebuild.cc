#include "engine/recovery/rebuild.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>

#include <fcntl.h>

#include "base/clock.h"
#include "engine/container/container_spec.h"
#include "engine/container/names.h"
#include "engine/container/status.h"
#include "engine/network/settle_network.h"
#include "engine/recovery/running_monitors.h"
#include "engine/recovery/store_copy.h"
#include "engine/volumes/volumes.h"
#include "idmap/id_map.h"
#include "ledger/bank_numbers.h"
#include "ledger/bank_uses.h"
#include "ledger/host_ranges.h"
#include "ledger/restore.h"
#include "monitor/protocol.h"
#include "store/containers.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kIdLength = 64;
constexpr size_t kShortId = 12;
constexpr const char* kUnknownImage = "unknown";
constexpr const char* kReason = "the database was lost";

class Rebuild {
 public:
  Rebuild(store::Store& store, Rebuilt& result) : store_(store), result_(result) {}
  Result<> run();

 private:
  Result<> names_and_projects();
  Result<> containers();
  Result<> volumes();
  Result<bool> hold_banks(const ContainerCopy& copy);
  Result<> take_in(ContainerCopy copy);
  Result<> dispossessed(ContainerCopy copy);
  Result<> running_without_copy(const std::string& id, const RunningMonitor& monitor);
  Result<> stopped_without_copy(const std::string& id);
  Result<> insert(store::ContainerRecord record);
  Result<> hold(const HeldBank& held);
  Result<> give_new_bank(store::ContainerRecord& record);
  Result<> hold_mapped_bank(const std::string& id, Bank bank);
  Result<> hold_mapped(const std::string& id, const std::string& map);
  Result<std::string> project_of(const std::string& id, const std::string& map);
  void set_state(store::ContainerRecord& record) const;
  const RunningMonitor* monitor_of(std::string_view id) const;

  store::Store& store_;
  Rebuilt& result_;
  std::vector<RunningMonitor> monitors_;
};

Result<std::vector<std::string>> names_in(const store::Store& store, const std::string& path) {
  const sys::UniqueFd directory = TRY(sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  std::vector<std::string> names = TRY(sys::list_dir(directory.get()));
  std::sort(names.begin(), names.end());
  return names;
}

bool is_empty(const store::Store& store, const std::string& path) {
  const Result<std::vector<std::string>> names = names_in(store, path);
  return !names || names->empty();
}

int64_t modified(const store::Store& store, const std::string& path) {
  const Result<struct stat> st = sys::stat_at(store.root(), path, AT_SYMLINK_NOFOLLOW);
  return st ? st->st_mtim.tv_sec : int64_t{::time(nullptr)};
}

const RunningMonitor* Rebuild::monitor_of(std::string_view id) const {
  for (const RunningMonitor& monitor : monitors_) {
    if (id.starts_with(monitor.short_id)) return &monitor;
  }
  return nullptr;
}

void Rebuild::set_state(store::ContainerRecord& record) const {
  const std::string log = container_directory(record.id) + "/" + monitor::kLogFile;
  const std::optional<LiveStatus> live = live_status(store_, record.id);
  if (monitor_of(record.id) != nullptr || live) {
    record.state = store::kRunning;
    record.started_at = live ? live->started_at : record.created_at;
  } else if (const std::optional<ExitRecord> ended = exit_record(store_, record.id)) {
    record.state = store::kExited;
    record.exit_status = ended->status;
    record.finished_at = ended->finished_at;
  } else if (sys::exists_at(store_.root(), log)) {
    record.state = store::kExited;
    record.exit_reason = kReason;
    record.finished_at = now_nanoseconds();
  } else {
    record.state = store::kCreated;
  }
}

Result<> Rebuild::insert(store::ContainerRecord record) {
  set_state(record);
  // Two copies can't have had one name; a copy that somebody made by hand can.
  Result<> inserted = store::insert_container(store_.db(), record);
  if (!inserted && inserted.error().code == Code::conflict) {
    result_.unknown.push_back(fmt::format("Two containers were called {}; one is recovered-{} now.",
                                          record.name, record.id.substr(0, kShortId)));
    record.name = "recovered-" + record.id.substr(0, kShortId);
    inserted = store::insert_container(store_.db(), record);
  }
  TRY(std::move(inserted));
  ++result_.containers;
  if (record.state == store::kRunning) {
    ++result_.running;
    return store::set_container_started(store_.db(), record.id, record.started_at.value_or(0));
  }
  if (record.state == store::kExited) {
    return store::set_container_exited(store_.db(), record.id, record.exit_status,
                                       record.finished_at.value_or(0), record.exit_reason);
  }
  return {};
}

Result<> Rebuild::hold(const HeldBank& held) {
  if (TRY(ledger::restore_bank(store_.db(), held.bank, held.owner, held.since))) return {};
  result_.unknown.push_back(fmt::format("Bank {} was claimed twice; {} {} did not get it back.",
                                        ledger::number_of(held.bank), held.owner.kind, held.owner.id));
  return {};
}

// Its files bear the IDs inside, so any bank will do.
Result<> Rebuild::give_new_bank(store::ContainerRecord& record) {
  const Bank bank = TRY(ledger::allocate_bank(store_.db(), {"container", record.id}));
  record.uid_map = record.gid_map = TRY(idmap::IdMap::from_banks(std::array{bank})).text();
  return {};
}

// The project in whose banks a running container has its IDs, and that it uses them; empty: none.
Result<std::string> Rebuild::project_of(const std::string& id, const std::string& map) {
  std::string project;
  if (map.empty()) return project;
  const idmap::IdMap parsed = TRY(idmap::IdMap::parse(map));
  for (const idmap::Extent& extent : parsed.extents()) {
    const Bank bank(static_cast<uint16_t>(extent.outside / kBankSize));
    const std::optional<ledger::BankRecord> record = TRY(ledger::find_bank(store_.db(), bank));
    if (!record || !record->owner || record->owner->kind != ledger::kProjectKind) continue;
    project = record->owner->id;
    TRY(ledger::record_use(store_.db(), id, bank));
  }
  return project;
}

// A bank that has a name is shared; any other is the container's own.
Result<> Rebuild::hold_mapped_bank(const std::string& id, Bank bank) {
  const std::optional<ledger::BankRecord> record = TRY(ledger::find_bank(store_.db(), bank));
  const bool named = record && record->owner && record->owner->kind == ledger::kNameKind;
  if (named) return ledger::record_use(store_.db(), id, bank);
  return hold({bank, {"container", id}, int64_t{::time(nullptr)}});
}

// What a running container's map says it has: whole banks of the pool, and ranges.
Result<> Rebuild::hold_mapped(const std::string& id, const std::string& map) {
  if (map.empty()) return {};
  const idmap::IdMap parsed = TRY(idmap::IdMap::parse(map));
  for (const idmap::Extent& extent : parsed.extents()) {
    const uint64_t end = uint64_t{extent.outside} + extent.count;
    const uint32_t number = extent.outside / kBankSize;
    const bool in_pool = number >= ledger::kFirstBank.number() && number <= ledger::kLastBank.number();
    if (in_pool && extent.outside % kBankSize == 0 && extent.count == kBankSize) {
      TRY(hold_mapped_bank(id, Bank(static_cast<uint16_t>(number))));
    } else {
      TRY(ledger::record_range(store_.db(), id, {extent.outside, end}));
    }
  }
  return {};
}

// The banks of a copy. One that was another container's, which has gone since, is its own now, or of the
// first that comes with it. True if one of its own is somebody else's by now: two copies of one directory,
// say.
Result<bool> Rebuild::hold_banks(const ContainerCopy& copy) {
  const std::string& id = copy.record.id;
  bool taken = false;
  for (HeldBank held : copy.banks) {
    const bool of_container = held.owner.kind == "container";
    const bool inherited = of_container && held.owner.id != id &&
                           !sys::exists_at(store_.root(), container_directory(held.owner.id));
    if (inherited) held.owner.id = id;
    const bool restored = TRY(ledger::restore_bank(store_.db(), held.bank, held.owner, held.since));
    const bool own = of_container && held.owner.id == id;
    if (own && !restored && !inherited) {
      taken = true;
    } else if (!own || !restored) {
      TRY(ledger::record_use(store_.db(), id, held.bank));
    }
  }
  return taken;
}

Result<> Rebuild::dispossessed(ContainerCopy copy) {
  result_.unknown.push_back(fmt::format(
      "The bank of {} is another's by now; it has a new one, and no other IDs.", copy.record.name));
  TRY(ledger::forget_uses(store_.db(), copy.record.id));
  copy.ranges.clear();
  TRY(give_new_bank(copy.record));
  return take_in(std::move(copy));
}

Result<> Rebuild::take_in(ContainerCopy copy) {
  store::ContainerRecord& record = copy.record;
  for (const idmap::IdRange& range : copy.ranges) TRY(ledger::record_range(store_.db(), record.id, range));
  const ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  TRY(make_volume_directories(store_, spec));
  // What is in a volume is its own; nothing of an image is copied over it.
  MadeVolumes volumes;
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type == "volume") volumes.taken_over.push_back(mount.volume);
  }
  TRY(record_volumes(store_, record.id, spec, volumes));
  if (const Result<> recorded = restore_networks(store_, record.id, spec); !recorded)
    result_.unknown.push_back(
        fmt::format("{} is not in its networks: {}.", record.name, recorded.error().message));
  ++result_.images[record.image_name];
  return insert(std::move(record));
}

Result<> Rebuild::running_without_copy(const std::string& id, const RunningMonitor& monitor) {
  store::ContainerRecord record{.id = id,
                                .name = "recovered-" + id.substr(0, kShortId),
                                .image_id = kUnknownImage,
                                .image_name = kUnknownImage,
                                .created_at = now_nanoseconds(),
                                .uid_map = monitor.uid_map,
                                .gid_map = monitor.gid_map};
  ContainerSpec spec;
  if (monitor.uid_map.empty()) spec.userns = "host";
  record.project = spec.project = TRY(project_of(id, monitor.uid_map));
  record.spec = TRY(to_json(spec));
  if (record.project.empty()) TRY(hold_mapped(id, monitor.uid_map));
  result_.unknown.push_back(fmt::format(
      "{} runs, and only its IDs are known: not its name, its image and what it was asked to be. It was "
      "made with --rm, or by an older berth.",
      record.name));
  return insert(std::move(record));
}

Result<> Rebuild::stopped_without_copy(const std::string& id) {
  // Half-made, or removed but for the record: recover() takes it away.
  if (is_empty(store_, container_directory(id) + "/upper")) return {};
  store::ContainerRecord record{.id = id,
                                .name = "recovered-" + id.substr(0, kShortId),
                                .image_id = kUnknownImage,
                                .image_name = kUnknownImage,
                                .created_at = modified(store_, container_directory(id)) * kNanoseconds};
  record.spec = TRY(to_json(ContainerSpec{}));
  TRY(give_new_bank(record));
  result_.unknown.push_back(fmt::format(
      "{} does not run and has no record: its files are in {}/{}/upper, `berth rm` removes them. It has a "
      "new bank.",
      record.name, store_.locations().root, container_directory(id)));
  return insert(std::move(record));
}

Result<> Rebuild::names_and_projects() {
  const Result<StoreCopy> copy = read_store_copy(store_);
  if (!copy && copy.error().err == ENOENT) return {};
  if (!copy) {
    result_.unknown.push_back(
        fmt::format("Projects, networks, and the names of banks that no container uses, are lost: {}.",
                    copy.error().message));
    return {};
  }
  for (const HeldBank& held : copy->banks) TRY(hold(held));
  for (const ledger::Project& project : copy->projects) {
    if (!TRY(ledger::restore_project(store_.db(), project)))
      result_.unknown.push_back(fmt::format("Project {} was there twice; one is lost.", project.name));
  }
  for (const ledger::RestingNumber& resting : copy->resting)
    TRY(ledger::restore_resting_number(store_.db(), resting));
  for (const ledger::Network& network : copy->networks) {
    if (const Result<> inserted = ledger::insert_network(store_.db(), network); !inserted)
      result_.unknown.push_back(
          fmt::format("Network {} is lost: {}.", network.name, inserted.error().message));
  }
  return {};
}

Result<> Rebuild::volumes() {
  for (const std::string& name : TRY(names_in(store_, "volumes"))) {
    const std::string data = volume_data_directory(name);
    if (!check_name(name) || !sys::exists_at(store_.root(), data)) continue;
    store::Statement insert = TRY(store_.db().prepare(
        "INSERT INTO volumes (name, created_at, anonymous, labels, populated) VALUES (?1, ?2, 0, '{}', ?3) "
        "ON CONFLICT (name) DO UPDATE SET created_at = ?2, populated = ?3"));
    insert.bind(1, name).bind(2, modified(store_, volume_directory(name)));
    TRY(insert.bind(3, int64_t{is_empty(store_, data) ? 0 : 1}).run());
    ++result_.volumes;
  }
  return {};
}

Result<> Rebuild::containers() {
  std::vector<std::string> stopped;
  std::vector<ContainerCopy> without_bank;
  for (const std::string& id : TRY(names_in(store_, "containers"))) {
    if (id.size() != kIdLength) continue;
    Result<ContainerCopy> copy = read_container_copy(store_, id);
    if (copy) {
      if (TRY(hold_banks(*copy))) {
        without_bank.push_back(std::move(*copy));
      } else {
        TRY_CONTEXT(take_in(std::move(*copy)), "container {}", id);
      }
      continue;
    }
    if (copy.error().err != ENOENT) {
      result_.unknown.push_back(fmt::format("The record of container {} can't be read: {}.",
                                            id.substr(0, kShortId), copy.error().message));
    }
    if (const RunningMonitor* monitor = monitor_of(id)) {
      TRY_CONTEXT(running_without_copy(id, *monitor), "container {}", id);
    } else {
      stopped.push_back(id);
    }
  }
  // New banks only now that every bank that is known has its owner.
  for (ContainerCopy& copy : without_bank) TRY(dispossessed(std::move(copy)));
  for (const std::string& id : stopped) TRY_CONTEXT(stopped_without_copy(id), "container {}", id);
  return {};
}

Result<> Rebuild::run() {
  monitors_ = TRY(running_monitors());
  TRY(names_and_projects());
  TRY(containers());
  TRY(volumes());
  result_.banks = static_cast<int64_t>(TRY(ledger::held_banks(store_.db())).size());
  return {};
}

}  // namespace

Result<Rebuilt> rebuild_store(const store::Locations& locations) {
  // Commands that opened the store while it was well may still be at work in it.
  const std::string lock = fmt::format("{}/{}", locations.root, kCreatingLock);
  const Result<sys::FileLock> quiet = sys::FileLock::try_exclusive(AT_FDCWD, lock);
  if (!quiet && quiet.error().code == Code::conflict) {
    return fail(Code::conflict,
                "another command is making or removing a container; try again when it has ended");
  }
  if (!quiet && quiet.error().err == ENOENT)
    return fail(Code::not_found, "there is no store in {}", locations.root);
  if (!quiet) return std::unexpected(quiet.error());
  store::Store store = TRY(store::Store::begin_rebuild(locations));
  Rebuilt result;
  {
    store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
    Rebuild rebuild(store, result);
    TRY(rebuild.run());
    TRY(transaction.commit());
  }
  result.damaged = TRY(store::Store::finish_rebuild(std::move(store)));
  return result;
}

}  // namespace berth::engine
