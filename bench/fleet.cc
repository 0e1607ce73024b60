// A fleet on paper: hosts and projects by the hundred thousand, with the functions that berth itself takes
// numbers and banks with, each host with a ledger of its own in memory. No kernel is asked for anything.
//
//   fleet --directory DIRECTORY [--hosts N] [--projects N]
//
// DIRECTORY is an empty one, which becomes the hosts' /etc and /proc. What was found goes to stdout as JSON.
//
// The fleet is divided into cells, as docs/fleet.md says: one range of 32-bit IDs has 329,496 blocks of
// 10,000 IDs, and a cell is what shares one. A cell's coordinator gives each project its number; the project
// is then made with that number on one to three hosts of the cell.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>

#include "idmap/map_algebra.h"
#include "ledger/projects.h"

namespace berth {

namespace {

constexpr int64_t kStart = 1'700'000'000 * kNanoseconds;
constexpr size_t kReplicas = 3;  // of a project, at most
thread_local int64_t clock_now = kStart;

struct Options {
  std::string directory;
  uint32_t hosts = 100'000;
  uint32_t projects = 1'000'000;
};

// What must not be: how often it was.
struct Faults {
  std::atomic<uint64_t> numbers{0};      // given twice in a cell, or before it had rested
  std::atomic<uint64_t> inside{0};       // assigned ranges that overlap in a cell
  std::atomic<uint64_t> outside{0};      // host IDs that two projects of a host have
  std::atomic<uint64_t> replicas{0};     // a project that has other IDs inside on another host
  std::atomic<uint64_t> attribution{0};  // a host ID that does not lead back to its project
  [[nodiscard]] uint64_t all() const { return numbers + inside + outside + replicas + attribution; }
};

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "fleet: %s\n", message.c_str());
  std::_Exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) die(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

ledger::HostSources host_of(const Options& options) {
  ledger::HostSources host;
  host.etc = options.directory + "/etc";
  host.proc = options.directory + "/proc";
  host.knows_user = host.knows_group = [](uint32_t) { return false; };
  host.runs_processes = [](uint32_t) { return false; };
  host.now = [] { return clock_now; };
  return host;
}

std::string name_of(uint32_t project) {
  return fmt::format("project-{}", project);
}

// Gives numbers to the projects of a cell, then lets a tenth of them go and gives others theirs.
class Cell {
 public:
  Cell(uint32_t first, uint32_t count, const ledger::HostSources& host, Faults& faults)
      : first_(first), numbers_(count), taken_(ledger::kProjectNumbers), faults_(faults), host_(host) {
    store::Database db = must(store::Database::open(":memory:"));
    store::Transaction transaction = must(store::Transaction::begin(db));
    for (uint32_t i = 0; i < count; ++i) give(db, i);
    for (uint32_t i = 0; i < count; i += 10) {
      must(ledger::remove_project(db, name_of(first_ + i), host_));
      give(db, i);  // no number that rests, so taken_ keeps it
    }
  }

  [[nodiscard]] uint32_t number(uint32_t project) const { return numbers_[project - first_]; }

 private:
  void give(store::Database& db, uint32_t index) {
    const uint32_t number = must(ledger::free_project_number(db, host_));
    const ledger::Project project{.name = name_of(first_ + index), .number = number, .policy = "restricted"};
    if (taken_[number] || !must(ledger::restore_project(db, project))) ++faults_.numbers;
    taken_[number] = true;
    const idmap::IdRange range = ledger::assigned_range(number);
    if (range.end > idmap::kLastId + 1 || range.begin % ledger::kAssignedIds != 0) ++faults_.inside;
    numbers_[index] = number;
  }

  uint32_t first_;
  std::vector<uint32_t> numbers_;
  std::vector<bool> taken_;
  Faults& faults_;
  ledger::HostSources host_;
};

struct Placement {
  uint32_t project = 0;
  uint32_t number = 0;
};

// One host after another in one ledger: each is rolled back before the next begins.
class Host {
 public:
  Host(const ledger::HostSources& host, Faults& faults)
      : host_(host), faults_(faults), db_(must(store::Database::open(":memory:"))) {}

  void run(const std::vector<Placement>& placements, uint32_t seed) {
    store::Transaction transaction = must(store::Transaction::begin(db_));
    std::vector<idmap::IdRange> outside;
    for (const Placement& placement : placements) {
      const ledger::Project made = must(ledger::create_project(
          db_, {.name = name_of(placement.project), .number = placement.number, .policy = "restricted"},
          host_));
      const idmap::IdMap map = must(ledger::map_of_project(db_, made));
      if (map.extents()[1].inside != ledger::assigned_range(placement.number).begin) ++faults_.replicas;
      check_attribution(placement, map, seed);
      for (const idmap::Extent& extent : map.extents()) outside.push_back(idmap::outside_of(extent));
    }
    std::sort(outside.begin(), outside.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    for (size_t i = 1; i < outside.size(); ++i) {
      if (outside[i - 1].overlaps(outside[i])) ++faults_.outside;
    }
  }

 private:
  // From a number in a host's process list to the project, by the ledger alone.
  void check_attribution(const Placement& placement, const idmap::IdMap& map, uint32_t seed) {
    const auto id = static_cast<uint32_t>(ledger::assigned_range(placement.number).begin +
                                          (seed * 7919 + placement.project) % ledger::kAssignedIds);
    const std::optional<HostUid> outside = map.to_host(ContainerUid(id));
    if (!outside) {
      ++faults_.attribution;
      return;
    }
    const Bank bank(static_cast<uint16_t>(outside->value() / kBankSize));
    const auto record = must(ledger::find_bank(db_, bank));
    const bool found = record && record->owner && record->owner->id == name_of(placement.project);
    if (!found || map.to_container(*outside) != ContainerUid(id)) ++faults_.attribution;
  }

  ledger::HostSources host_;
  Faults& faults_;
  store::Database db_;
};

// What hashing the name to a number would do, in the place of a coordinator.
uint64_t hash_collisions(uint32_t projects, uint32_t cells) {
  uint64_t collisions = 0;
  const uint32_t each = (projects + cells - 1) / cells;
  for (uint32_t first = 0; first < projects; first += each) {
    std::vector<bool> taken(ledger::kProjectNumbers);
    for (uint32_t i = first; i < std::min(projects, first + each); ++i) {
      const size_t number = std::hash<std::string>{}(name_of(i)) % ledger::kProjectNumbers;
      if (taken[number]) ++collisions;
      taken[number] = true;
    }
  }
  return collisions;
}

uint32_t number_word(const std::string& word) {
  const unsigned long value = std::strtoul(word.c_str(), nullptr, 10);
  if (value == 0 || value > 100'000'000) die("\"" + word + "\" is no number of hosts or projects");
  return static_cast<uint32_t>(value);
}

Options read_options(const std::vector<std::string>& words) {
  Options options;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == "--directory") options.directory = words[i + 1];
    if (words[i] == "--hosts") options.hosts = number_word(words[i + 1]);
    if (words[i] == "--projects") options.projects = number_word(words[i + 1]);
  }
  if (options.directory.empty()) die("--directory DIRECTORY is needed");
  for (const char* name : {"/etc", "/proc"}) ::mkdir((options.directory + name).c_str(), 0755);
  return options;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The hosts' placements, as lists: placements[offsets[h]] to placements[offsets[h + 1]].
struct Fleet {
  std::vector<uint32_t> offsets;
  std::vector<Placement> placements;
};

Fleet place(const Options& options, uint32_t cells, const std::vector<Cell>& numbers, uint32_t each) {
  std::mt19937 random(42);
  const uint32_t hosts_each = options.hosts / cells;
  std::vector<std::pair<uint32_t, Placement>> all;
  all.reserve(size_t{options.projects} * 2);
  for (uint32_t project = 0; project < options.projects; ++project) {
    const uint32_t cell = project / each;
    const auto replicas = static_cast<uint32_t>(1 + random() % kReplicas);
    const auto first = static_cast<uint32_t>(random() % hosts_each);
    // Neighbours in a row, so that no host has a project twice.
    for (uint32_t i = 0; i < std::min(replicas, hosts_each); ++i) {
      const uint32_t host = cell * hosts_each + (first + i) % hosts_each;
      all.push_back({host, {project, numbers[cell].number(project)}});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Fleet fleet;
  fleet.offsets.assign(size_t{options.hosts} + 1, 0);
  for (const auto& [host, placement] : all) {
    ++fleet.offsets[size_t{host} + 1];
    fleet.placements.push_back(placement);
  }
  for (size_t i = 1; i < fleet.offsets.size(); ++i) fleet.offsets[i] += fleet.offsets[i - 1];
  return fleet;
}

void run_hosts(const Options& options, const Fleet& fleet, Faults& faults) {
  std::atomic<uint32_t> next{0};
  const auto work = [&] {
    Host host(host_of(options), faults);
    std::vector<Placement> own;
    for (uint32_t i = next++; i < options.hosts; i = next++) {
      own.assign(fleet.placements.begin() + fleet.offsets[i],
                 fleet.placements.begin() + fleet.offsets[i + 1]);
      host.run(own, i);
    }
  };
  std::vector<std::thread> threads;
  const unsigned count = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < count; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

int simulate(const Options& options) {
  const ledger::HostSources host = host_of(options);
  // A tenth of the projects is made anew while the numbers of those that went rest.
  const uint32_t most = ledger::kProjectNumbers / 11 * 10;
  const uint32_t cells = (options.projects + most - 1) / most;
  const uint32_t each = (options.projects + cells - 1) / cells;
  if (options.hosts < cells) die("a fleet of so many projects has more cells than hosts");
  Faults faults;
  const auto start = std::chrono::steady_clock::now();
  std::vector<Cell> numbers;
  numbers.reserve(cells);
  for (uint32_t first = 0; first < options.projects; first += each)
    numbers.emplace_back(first, std::min(each, options.projects - first), host, faults);
  const double numbering = seconds_since(start);
  const Fleet fleet = place(options, cells, numbers, each);
  const auto before_hosts = std::chrono::steady_clock::now();
  run_hosts(options, fleet, faults);
  const double hosting = seconds_since(before_hosts);
  uint32_t fullest = 0;
  for (size_t i = 1; i < fleet.offsets.size(); ++i)
    fullest = std::max(fullest, fleet.offsets[i] - fleet.offsets[i - 1]);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"hosts\": {}, \"projects\": {}, \"cells\": {}, \"placements\": {}, \"fullest_host\": {},\n"
      " \"collisions\": {{\"numbers\": {}, \"inside\": {}, \"outside\": {}, \"replicas\": {}, "
      "\"attribution\": "
      "{}}},\n"
      " \"hash_collisions\": {}, \"numbering_seconds\": {:.2f}, \"hosts_seconds\": {:.2f}, \"memory_mib\": "
      "{:.1f}}}\n",
      options.hosts, options.projects, cells, fleet.placements.size(), fullest, faults.numbers.load(),
      faults.inside.load(), faults.outside.load(), faults.replicas.load(), faults.attribution.load(),
      hash_collisions(options.projects, cells), numbering, hosting,
      static_cast<double>(usage.ru_maxrss) / 1024);
  return faults.all() == 0 ? 0 : 1;
}

}  // namespace

}  // namespace berth

int main(int argc, char** argv) {
  return berth::simulate(berth::read_options(std::vector<std::string>(argv + 1, argv + argc)));
}
