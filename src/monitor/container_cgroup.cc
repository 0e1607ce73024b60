#include "monitor/container_cgroup.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fcntl.h>

#include "base/fault.h"
#include "base/log.h"
#include "cgroup/limits.h"
#include "cgroup/patience.h"
#include "cgroup/statistics.h"
#include "monitor/scopes.h"
#include "scope/scope.h"
#include "sys/file.h"

namespace berth::monitor {

std::vector<std::string> limiting_controllers(const cgroup::Limits& limits) {
  std::vector<std::string> controllers = cgroup::controllers_for(limits);
  if (limits.cpu.realtime_period || limits.cpu.realtime_runtime) controllers.emplace_back("cpu");
  for (std::string& name : controllers) {
    if (name == "io") name = "blkio";
  }
  return controllers;
}

namespace {

// The controllers of v1 that every container has, by which it is counted. The others are for those with a
// limit, since each hierarchy costs a start a tenth of a millisecond.
constexpr std::array<std::string_view, 3> kCounting{"pids", "memory", "cpuacct"};
constexpr std::string_view kSystemdsOwn = "name=systemd";

// Where there is no v2, systemd has its scopes in the hierarchy of v1 that is its own.
Result<cgroup::Hierarchies> used_hierarchies(const cgroup::Limits& limits, bool of_systemd) {
  cgroup::Hierarchies found = TRY(cgroup::hierarchies_of_this_process());
  const std::vector<std::string> controllers = limiting_controllers(limits);
  const bool freezes = found.v2() != nullptr;  // without a controller
  const auto is_used = [&](const cgroup::Hierarchy& one) {
    if (one.key == kSystemdsOwn) return of_systemd && found.v2() == nullptr;
    const auto has = [&](std::string_view name) { return one.has(name); };
    return one.v2() || (!freezes && has("freezer")) || std::ranges::any_of(kCounting, has) ||
           std::ranges::any_of(controllers, has);
  };
  std::erase_if(found.all, [&](const cgroup::Hierarchy& one) { return !is_used(one); });
  return found;
}

// A command that tidies up (engine::remove_unused_cgroups()) may take a new cgroup for one that was left, for
// as long as it needs to remove it.
Result<cgroup::Cgroup> create(const CgroupRequest& request) {
  constexpr cgroup::Wait kLongest{2000};
  const bool of_systemd = !request.slice.empty();
  const cgroup::Hierarchies hierarchies = TRY(used_hierarchies(request.limits, of_systemd));
  const cgroup::CgroupsPath path = TRY(cgroup::parse_cgroups_path(request.path));
  const cgroup::CreateOptions options{
      .required = cgroup::controllers_for(request.limits), .where_allowed = true, .adopted = of_systemd};
  cgroup::Patience patience(kLongest);
  while (true) {
    Result<cgroup::Cgroup> created = cgroup::Cgroup::create(hierarchies, path, options);
    if (created || created.error().code != Code::conflict || !patience.sleep()) return created;
  }
}

// The limits have their names from the runtime specification; a person knows them as flags.
struct FlagOf {
  std::string_view limit;
  std::string_view flag;
};
constexpr std::array<FlagOf, 20> kFlags{{{"memory.limit", "--memory"},
                                         {"memory.swappiness", "--memory-swappiness"},
                                         {"memory.swap", "--memory-swap"},
                                         {"memory.reservation", "--memory-reservation"},
                                         {"memory.disableOOMKiller", "--oom-kill-disable"},
                                         {"cpu.shares", "--cpu-shares"},
                                         {"cpu.quota", "--cpus or --cpu-quota"},
                                         {"cpu.period", "--cpu-period"},
                                         {"cpu.realtimeRuntime", "--cpu-rt-runtime"},
                                         {"cpu.realtimePeriod", "--cpu-rt-period"},
                                         {"cpu.cpus", "--cpuset-cpus"},
                                         {"cpu.mems", "--cpuset-mems"},
                                         {"pids.limit", "--pids-limit"},
                                         {"blockIO.weightDevice", "--blkio-weight-device"},
                                         {"blockIO.weight", "--blkio-weight"},
                                         {"blockIO.throttleReadBpsDevice", "--device-read-bps"},
                                         {"blockIO.throttleReadIOPSDevice", "--device-read-iops"},
                                         {"blockIO.throttleWriteBpsDevice", "--device-write-bps"},
                                         {"blockIO.throttleWriteIOPSDevice", "--device-write-iops"},
                                         {"unified", "--cgroup-conf "}}};

void replace_word(std::string& text, std::string_view word, std::string_view with) {
  const size_t at = text.find(word);
  if (at != std::string::npos) text.replace(at, word.size(), with);
}

Error in_flags(Error error) {
  for (std::string* text : {&error.message, &error.hint}) {
    for (const auto& [limit, flag] : kFlags) {
      replace_word(*text, fmt::format("linux.resources.{}", limit), flag);
      // By itself, for it is also the beginning of files' names.
      replace_word(*text, fmt::format(" {} ", limit), fmt::format(" {} ", flag));
    }
    replace_word(*text, "linux.resources.", "");
  }
  return error;
}

Result<> apply_by_systemd(const std::string& unit, const cgroup::Cgroup& cgroup,
                          const cgroup::Limits& limits) {
  systemd::Manager manager = TRY(systemd::Manager::connect());
  return scope::apply_limits(manager, unit, cgroup, limits);
}

}  // namespace

Result<ContainerCgroup> ContainerCgroup::make(const CgroupRequest& request, pid_t process) {
  if (request.path.empty()) return ContainerCgroup();
  const bool of_systemd = !request.slice.empty();
  if (of_systemd) {
    TRY_CONTEXT(start_scopes(request, process), "let systemd make the container's cgroup");
    fault::point("scope-started");
  }
  const bool limited = !cgroup::controllers_for(request.limits).empty();
  Result<cgroup::Cgroup> created = create(request);
  if (!created && (limited || of_systemd || created.error().code == Code::conflict))
    return std::unexpected(std::move(created.error()).context("make the container's cgroup"));
  if (!created) {
    log::debug("the container has no cgroup of its own: {}", created.error().message);
    return ContainerCgroup();
  }
  fault::point("cgroup-made");
  ContainerCgroup made(std::move(*created),
                       of_systemd ? TRY(is_in_v2(process, request.path)) : comes_first(request));
  TRY(made.apply(request));
  return made;
}

Result<> apply_container_limits(const cgroup::Cgroup& cgroup, cgroup::Limits limits) {
  cgroup::MemoryLimits& memory = limits.memory;
  const bool limited = memory.limit.value_or(0) > 0;
  if (limited && !memory.swap && TRY(cgroup::look_at(cgroup, limits)).swap) {
    constexpr int64_t kHalf = INT64_MAX / 2;
    memory.swap = *memory.limit > kHalf ? cgroup::kUnlimited : 2 * *memory.limit;
  }
  const std::string unit = scope::unit_of(cgroup);
  const Result<> applied =
      unit.empty() ? cgroup::apply_limits(cgroup, limits) : apply_by_systemd(unit, cgroup, limits);
  if (!applied) return std::unexpected(in_flags(applied.error()));
  return {};
}

Result<> ContainerCgroup::apply(const CgroupRequest& request) const {
  cgroup::Limits limits = request.limits;
  const bool counts = cgroup_->with_controller("pids") != nullptr;
  if (!limits.pids && request.usual_pids != 0 && counts) limits.pids = request.usual_pids;
  return apply_container_limits(*cgroup_, std::move(limits));
}

Result<std::vector<sys::UniqueFd>> ContainerCgroup::entrances() const {
  if (!cgroup_) return std::vector<sys::UniqueFd>();
  return cgroup_->entrances(entered_);
}

std::optional<cgroup::OomWatch> ContainerCgroup::watch_memory() const {
  if (!cgroup_) return std::nullopt;
  Result<std::optional<cgroup::OomWatch>> watch = cgroup::OomWatch::start(*cgroup_);
  if (watch) return std::move(*watch);
  log::debug("watch the container's memory: {}", watch.error().message);
  return std::nullopt;
}

std::optional<bool> ContainerCgroup::out_of_memory() const {
  if (!cgroup_) return false;
  const Result<std::optional<uint64_t>> kills = cgroup::read_oom_kills(*cgroup_);
  return kills ? std::optional(kills->value_or(0) > 0) : std::nullopt;
}

Result<> ContainerCgroup::remove() const {
  const cgroup::Hierarchies hierarchies = TRY(cgroup::hierarchies_of_this_process());
  std::vector<cgroup::RecordEntry> record = cgroup_->record();
  if (state_) {
    if (const Result<std::string> text = sys::read_file_at(state_.get(), kCgroupFile, kLongestCgroupRecord))
      record = TRY(cgroup::parse_record(*text));
  }
  // Mostly all has ended with PID 1. But systemd misses the end of a scope whose cgroup somebody else
  // removes.
  const std::string unit = scope::unit_of(*cgroup_);
  if (unit.empty() && TRY(cgroup::Cgroup::remove_if_empty(hierarchies, record))) return {};
  const Result<cgroup::Cgroup> left = cgroup::Cgroup::open(hierarchies, record);
  if (!left && left.error().code == Code::not_found) return {};
  if (!left) return std::unexpected(left.error());
  TRY(left->kill_all());
  if (!unit.empty()) scope::stop(unit, *left);
  return left->remove();
}

void ContainerCgroup::end() {
  if (!cgroup_ || cgroup_->parts().empty()) return;  // moved from
  const Result<> removed = remove();
  if (!removed) log::debug("remove the container's cgroup: {}", removed.error().message);
  cgroup_.reset();
}

ContainerCgroup::~ContainerCgroup() {
  end();
}

bool ContainerCgroup::comes_first(const CgroupRequest& request) {
  if (!request.slice.empty()) return false;
  const Result<cgroup::Hierarchies> found = cgroup::hierarchies_of_this_process();
  return found && found->v2() != nullptr;
}

Result<> ContainerCgroup::record(int state) {
  state_.reset(::fcntl(state, F_DUPFD_CLOEXEC, 0));
  if (!cgroup_) return sys::remove_tree_at(state, kCgroupFile);
  return sys::replace_file_at(state, kCgroupFile, cgroup::record_text(cgroup_->record()), 0600,
                              sys::Durability::none);
}

}  // namespace berth::monitor
