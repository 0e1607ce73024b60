#include "engine/audit/audit_ids.h"

#include <algorithm>
#include <map>
#include <span>

namespace berth::engine {

namespace {

constexpr size_t kMostEvidence = 8;
constexpr std::string_view kOwnLines = "berth";  // subordinate ranges with this name are kept for berth

// A range that is somebody's: a held bank, or what a container maps outside all banks.
struct Held {
  idmap::IdRange ids;
  std::string whose;   // "bank 3 of container web"
  bool meant = false;  // the container was asked to share these IDs
};

// All of them. Banks do not overlap each other; the few other ranges may.
class AllHeld {
 public:
  explicit AllHeld(const IdFacts& facts) {
    for (const BankFacts& bank : facts.banks) {
      if (!bank.owner) continue;
      banks_.push_back(
          {idmap::range_of(bank.bank), fmt::format("{} of {}", name_of(bank.bank), name_of_owner(bank))});
    }
    for (const ContainerFacts& container : facts.containers) {
      const bool meant = container.allow_shared_ids || container.userns.starts_with("keep-id");
      for (const idmap::IdRange& ids : container.ranges) {
        ranges_.push_back({ids, fmt::format("the IDs that container {} maps", container.name), meant});
      }
    }
  }

  [[nodiscard]] std::vector<const Held*> in(const idmap::IdRange& ids) const {
    std::vector<const Held*> found;
    const auto ends_before = [](const Held& held, uint64_t begin) { return held.ids.end <= begin; };
    for (auto bank = std::ranges::lower_bound(banks_, ids.begin, {},
                                              [](const Held& held) { return held.ids.end - 1; });
         bank != banks_.end() && !ends_before(*bank, ids.begin) && bank->ids.begin < ids.end; ++bank) {
      found.push_back(&*bank);
    }
    for (const Held& range : ranges_) {
      if (range.ids.overlaps(ids)) found.push_back(&range);
    }
    return found;
  }

 private:
  std::vector<Held> banks_;
  std::vector<Held> ranges_;
};

// "bank 0 of container web and 3 more".
std::string list(const std::vector<const Held*>& held) {
  const std::string first = fmt::format("{} ({})", held.front()->whose, text_of(held.front()->ids));
  return held.size() == 1 ? first : fmt::format("{} and {} more", first, held.size() - 1);
}

Severity severity_of(const std::vector<const Held*>& held) {
  const bool meant = std::ranges::all_of(held, [](const Held* one) { return one->meant; });
  return meant ? Severity::low : Severity::high;
}

std::string place_of(const IdLine& line) {
  return fmt::format("{}:{}", path_of(line.file), line.line);
}

void check_accounts(const IdFacts& facts, const AllHeld& all, std::vector<Finding>& findings) {
  for (const IdLine& line : facts.lines) {
    const bool user = line.file == IdFile::passwd;
    if (!user && line.file != IdFile::group) continue;
    const auto held = all.in(line.ids);
    if (held.empty()) continue;
    findings.push_back({severity_of(held),
                        FindingKind::account_in_bank,
                        fmt::format("the host's {} {} has the ID {}, which is in {}", user ? "user" : "group",
                                    line.name, line.ids.begin, list(held)),
                        {{"line", place_of(line)}},
                        user ? "Give the user another ID (usermod -u, then chown its files), or remove the "
                               "container and make it "
                               "anew: a new one gets a bank without this ID."
                             : "Give the group another ID (groupmod -g, then chgrp its files), or remove the "
                               "container and make it "
                               "anew: a new one gets a bank without this ID."});
  }
}

void check_subordinates(const IdFacts& facts, const AllHeld& all, std::vector<Finding>& findings) {
  for (const IdLine& line : facts.lines) {
    if ((line.file != IdFile::subuid && line.file != IdFile::subgid) || line.name == kOwnLines) continue;
    const auto held = all.in(line.ids);
    if (held.empty()) continue;
    findings.push_back(
        {severity_of(held),
         FindingKind::subordinate_in_bank,
         fmt::format("{} gives {} the IDs {}, which overlap {}", path_of(line.file), line.name,
                     text_of(line.ids), list(held)),
         {{"line", place_of(line)}},
         fmt::format("Give {} a range below {} (usermod --del-subuids, --add-subuids), or remove the "
                     "container and make it anew.",
                     line.name, idmap::range_of(ledger::kFirstBank).begin)});
  }
}

void check_namespaces(const IdFacts& facts, const AllHeld& all, std::vector<Finding>& findings) {
  for (const RunningNamespace& ns : facts.running.namespaces) {
    if (ns.ours) continue;
    std::vector<const Held*> held;
    std::vector<Evidence> evidence{{"process", fmt::format("{} ({})", ns.pid, ns.command)},
                                   {"namespace", fmt::format("user:[{}]", ns.inode)}};
    std::vector<idmap::IdRange> ranges = ns.users;
    ranges.insert(ranges.end(), ns.groups.begin(), ns.groups.end());
    for (const idmap::IdRange& ids : idmap::normalized(std::move(ranges))) {
      const auto overlapped = all.in(ids);
      if (overlapped.empty()) continue;
      held.insert(held.end(), overlapped.begin(), overlapped.end());
      if (evidence.size() < kMostEvidence) evidence.push_back({"ids", text_of(ids)});
    }
    if (held.empty()) continue;
    findings.push_back({severity_of(held), FindingKind::foreign_namespace,
                        fmt::format("a user namespace that berth did not make maps IDs of {}", list(held)),
                        std::move(evidence),
                        "End what runs in it, and give whoever made it a range of its own in /etc/subuid and "
                        "/etc/subgid, which berth then leaves alone."});
  }
}

void check_processes_in_banks(const IdFacts& facts, const AllHeld& all, std::vector<Finding>& findings) {
  for (const RunningProcess& process : facts.running.processes) {
    for (const HostUid user : process.users) {
      const auto held = all.in({user.value(), uint64_t{user.value()} + 1});
      if (held.empty()) continue;
      findings.push_back({severity_of(held),
                          FindingKind::process_in_bank,
                          fmt::format("a process outside all containers runs as {}, which is in {}",
                                      user.value(), list(held)),
                          {{"process", fmt::format("{} ({})", process.pid, process.command)}},
                          "End it, and start it as a user of the host: as it is, it can signal and trace the "
                          "container's processes, and they can do so to it."});
      break;
    }
  }
}

// A container's claim to IDs that it maps.
struct Mapped {
  idmap::IdRange ids;
  const ContainerFacts* container = nullptr;
};

bool joins_another(const ContainerFacts& container) {
  return container.userns.starts_with("container:") || container.userns.starts_with("ns:");
}

void report_shared(const Mapped& a, const Mapped& b, std::vector<Finding>& findings) {
  const idmap::IdRange both{std::max(a.ids.begin, b.ids.begin), std::min(a.ids.end, b.ids.end)};
  const bool meant = a.container->allow_shared_ids || b.container->allow_shared_ids;
  std::vector<Evidence> evidence{{"ids", text_of(both)}};
  if (meant) evidence.push_back({"flag", "--allow-shared-ids"});
  findings.push_back({meant ? Severity::medium : Severity::high, FindingKind::shared_map,
                      fmt::format("the containers {} and {} both map the host's IDs {}", a.container->name,
                                  b.container->name, text_of(both)),
                      std::move(evidence),
                      "If they are to share IDs, make both with the same --bank; else make one of them anew "
                      "without --uidmap."});
}

bool share_a_bank(const ContainerFacts& a, const ContainerFacts& b, const idmap::IdRange& ids) {
  const auto has = [&](const ContainerFacts& container) {
    return std::ranges::any_of(container.banks,
                               [&](Bank bank) { return idmap::range_of(bank).overlaps(ids); });
  };
  return has(a) && has(b);
}

// Every pair once, however many extents overlap.
void check_maps(const IdFacts& facts, std::vector<Finding>& findings) {
  std::vector<Mapped> mapped;
  for (const ContainerFacts& container : facts.containers) {
    if (joins_another(container)) continue;
    std::vector<idmap::IdRange> ranges;
    for (const idmap::Extent& extent : container.users) ranges.push_back(idmap::outside_of(extent));
    for (const idmap::Extent& extent : container.groups) ranges.push_back(idmap::outside_of(extent));
    for (const idmap::IdRange& ids : idmap::normalized(std::move(ranges)))
      mapped.push_back({ids, &container});
  }
  std::ranges::sort(mapped, {}, [](const Mapped& one) { return one.ids.begin; });
  std::map<std::pair<const ContainerFacts*, const ContainerFacts*>, bool> seen;
  std::vector<Mapped> open;
  for (const Mapped& one : mapped) {
    std::erase_if(open, [&](const Mapped& other) { return other.ids.end <= one.ids.begin; });
    for (const Mapped& other : open) {
      const idmap::IdRange both{one.ids.begin, std::min(one.ids.end, other.ids.end)};
      if (other.container == one.container || share_a_bank(*other.container, *one.container, both)) continue;
      if (!seen.emplace(std::minmax(other.container, one.container), true).second) continue;
      report_shared(other, one, findings);
    }
    open.push_back(one);
  }
}

void check_host_namespaces(const IdFacts& facts, std::vector<Finding>& findings) {
  constexpr std::string_view kPolicy = "; require-private in /etc/berth/berth.toml refuses such containers";
  for (const ContainerFacts& container : facts.containers) {
    std::vector<Evidence> evidence{{"container", container.name}};
    if (container.pid != 0) evidence.push_back({"process", fmt::format("{}", container.pid)});
    if (container.host_ids) {
      findings.push_back(
          {Severity::high, FindingKind::host_namespace,
           fmt::format("container {} has the host's own users: its root is the host's", container.name),
           evidence, fmt::format("Make it anew without --userns host{}.", kPolicy)});
    }
    if (container.network == "host") {
      findings.push_back(
          {Severity::medium, FindingKind::host_namespace,
           fmt::format("container {} has the host's network: it reaches what listens on loopback",
                       container.name),
           evidence, fmt::format("Make it anew without --network host{}.", kPolicy)});
    }
  }
}

// Whose IDs are known: everybody's that is in a file, the ledger, a record, or a map that is in use.
std::vector<idmap::IdRange> known_users(const IdFacts& facts) {
  std::vector<idmap::IdRange> known{{0, 1}};
  for (const IdLine& line : facts.lines) {
    if (line.file == IdFile::passwd || line.file == IdFile::subuid) known.push_back(line.ids);
  }
  for (const BankFacts& bank : facts.banks) {
    if (bank.owner) known.push_back(idmap::range_of(bank.bank));
  }
  for (const ContainerFacts& container : facts.containers) {
    known.insert(known.end(), container.ranges.begin(), container.ranges.end());
  }
  for (const RunningNamespace& ns : facts.running.namespaces) {
    known.insert(known.end(), ns.users.begin(), ns.users.end());
  }
  return idmap::normalized(std::move(known));
}

bool contains(const std::vector<idmap::IdRange>& ranges, uint64_t id) {
  const auto after = std::ranges::upper_bound(ranges, id, {}, &idmap::IdRange::begin);
  return after != ranges.begin() && std::prev(after)->contains(id);
}

// A bank that rests says whose the process may have been.
void add_resting(const IdFacts& facts, uint32_t id, std::vector<Evidence>& evidence) {
  const auto bank = std::ranges::find_if(
      facts.banks, [&](const BankFacts& one) { return idmap::range_of(one.bank).contains(id); });
  if (bank == facts.banks.end() || bank->owner) return;
  evidence.push_back(
      {"bank", fmt::format("{} rests; it was last held by {}", name_of(bank->bank), bank->owner_name)});
}

void check_ownerless(const IdFacts& facts, bool (*named)(uint32_t id), std::vector<Finding>& findings) {
  const std::vector<idmap::IdRange> known = known_users(facts);
  std::map<uint32_t, std::vector<const RunningProcess*>> ownerless;
  for (const RunningProcess& process : facts.running.processes) {
    for (const HostUid user : process.users) {
      if (!contains(known, user.value())) ownerless[user.value()].push_back(&process);
    }
  }
  for (const auto& [id, processes] : ownerless) {
    if (named(id)) continue;
    std::vector<Evidence> evidence;
    for (const RunningProcess* process :
         std::span(processes).first(std::min(processes.size(), kMostEvidence))) {
      evidence.push_back({"process", fmt::format("{} ({})", process->pid, process->command)});
    }
    add_resting(facts, id, evidence);
    findings.push_back(
        {Severity::medium, FindingKind::ownerless_process,
         fmt::format("{} {} as {}, an ID that is nobody's", processes.size(),
                     processes.size() == 1 ? "process runs" : "processes run", id),
         std::move(evidence),
         "End it, or give the ID to a user (useradd -u): whoever is given it next has the process, too."});
  }
}

}  // namespace

std::string_view word_for(FindingKind kind) {
  switch (kind) {
    case FindingKind::account_in_bank:
      return "account-in-bank";
    case FindingKind::subordinate_in_bank:
      return "subordinate-in-bank";
    case FindingKind::foreign_namespace:
      return "foreign-namespace";
    case FindingKind::process_in_bank:
      return "process-in-bank";
    case FindingKind::shared_map:
      return "shared-map";
    case FindingKind::host_namespace:
      return "host-namespace";
    case FindingKind::ownerless_process:
      return "ownerless-process";
    case FindingKind::unmapped_file:
      return "unmapped-file";
    case FindingKind::open_directory:
      return "open-directory";
  }
  return {};
}

std::string_view word_for(Severity severity) {
  switch (severity) {
    case Severity::high:
      return "high";
    case Severity::medium:
      return "medium";
    case Severity::low:
      return "low";
  }
  return {};
}

std::vector<Finding> audit_ids(const IdFacts& facts, bool (*named)(uint32_t id)) {
  std::vector<Finding> findings;
  const AllHeld held(facts);
  check_accounts(facts, held, findings);
  check_subordinates(facts, held, findings);
  check_namespaces(facts, held, findings);
  check_processes_in_banks(facts, held, findings);
  check_maps(facts, findings);
  check_host_namespaces(facts, findings);
  check_ownerless(facts, named, findings);
  return findings;
}

}  // namespace berth::engine
