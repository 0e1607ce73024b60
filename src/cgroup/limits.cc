#include "cgroup/limits.h"

#include <algorithm>
#include <array>

#include "base/fields.h"
#include "cgroup/control_file.h"
#include "cgroup/limit_planner.h"

namespace berth::cgroup {

namespace {

Result<> plan_pids(const std::optional<int64_t>& limit, LimitPlanner& planner) {
  if (!limit || *limit == 0) return {};
  if (*limit < kUnlimited)
    return refuse_limit("pids.limit", fmt::format("{} is no number of processes", *limit));
  TRY(planner.version("pids", "pids.limit"));
  planner.write("pids", "pids.max", v2_value(*limit), "pids.limit");
  return {};
}

// It becomes part of a file's name.
bool page_size(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view unit = text.substr(digits);
  return digits > 0 && digits < 10 && (unit == "KB" || unit == "MB" || unit == "GB");
}

Result<> plan_hugepages(const std::vector<HugepageLimit>& limits, LimitPlanner& planner) {
  for (const HugepageLimit& one : limits) {
    constexpr std::string_view kLimit = "hugepageLimits";
    if (!page_size(one.page_size)) {
      return refuse_limit(kLimit,
                          fmt::format("\"{}\" is no page size like 2MB or 1GB", printable(one.page_size)));
    }
    const bool v1 = TRY(planner.version("hugetlb", kLimit)) == Version::v1;
    const std::string value = std::to_string(one.limit);
    planner.write("hugetlb", fmt::format("hugetlb.{}.{}", one.page_size, v1 ? "limit_in_bytes" : "max"),
                  value, kLimit);
    // Reservations are accounted too since Linux 5.7; the spec asks for them where they are.
    planner.write("hugetlb", fmt::format("hugetlb.{}.rsvd.{}", one.page_size, v1 ? "limit_in_bytes" : "max"),
                  value, kLimit, Write::When::if_there);
  }
  return {};
}

Result<> plan_network(const Limits& limits, LimitPlanner& planner) {
  if (limits.network_class) {
    if (TRY(planner.version("net_cls", "network.classID")) == Version::v2)
      return not_on_v2("network.classID");
    planner.write("net_cls", "net_cls.classid", std::to_string(*limits.network_class), "network.classID");
  }
  for (const NetworkPriority& one : limits.network_priorities) {
    constexpr std::string_view kLimit = "network.priorities";
    constexpr size_t kLongestName = 15;  // IFNAMSIZ
    if (one.name.empty() || one.name.size() > kLongestName ||
        one.name.find_first_of(" \t\n/") != std::string::npos) {
      return refuse_limit(kLimit,
                          fmt::format("\"{}\" is no name of a network interface", printable(one.name)));
    }
    if (TRY(planner.version("net_prio", kLimit)) == Version::v2) return not_on_v2(kLimit);
    planner.write("net_prio", "net_prio.ifpriomap", fmt::format("{} {}", one.name, one.priority), kLimit);
  }
  return {};
}

Result<> plan_rdma(const std::vector<RdmaLimit>& limits, LimitPlanner& planner) {
  for (const RdmaLimit& one : limits) {
    if (one.device.empty() || one.device.find_first_of(" \t\n") != std::string::npos) {
      return refuse_limit("rdma", fmt::format("\"{}\" is no name of a device", printable(one.device)));
    }
    if (!one.hca_handles && !one.hca_objects) return refuse_limit("rdma", one.device + " has no limit");
    TRY(planner.version("rdma", "rdma"));
    std::string value = one.device;
    if (one.hca_handles) value += fmt::format(" hca_handle={}", *one.hca_handles);
    if (one.hca_objects) value += fmt::format(" hca_object={}", *one.hca_objects);
    planner.write("rdma", "rdma.max", std::move(value), "rdma");
  }
  return {};
}

}  // namespace

Result<> plan_unified(const std::map<std::string, std::string>& files, LimitPlanner& planner) {
  // Of cgroup's own files those that limit; the others move, kill or freeze processes, or say what the cgroup
  // is.
  constexpr std::array<std::string_view, 3> kCoreLimits = {"cgroup.max.depth", "cgroup.max.descendants",
                                                           "cgroup.pressure"};
  for (const auto& [file, content] : files) {
    const std::string limit = fmt::format("unified[\"{}\"]", printable(file));
    const size_t dot = file.find('.');
    if (dot == 0 || dot == std::string::npos ||
        file.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      return refuse_limit(limit, "it is no name of a control file like memory.high");
    }
    const std::string controller = file.substr(0, dot);
    if (controller == "cgroup") {
      if (std::find(kCoreLimits.begin(), kCoreLimits.end(), file) == kCoreLimits.end()) {
        return refuse_limit(limit, "this file is no limit");
      }
      if (planner.facts().v2_shown.empty()) return refuse_limit(limit, "cgroup v2 is not mounted here");
    } else if (TRY(planner.version(controller, limit)) == Version::v1) {
      return refuse_limit(
          limit, fmt::format("the controller {} is on cgroup v1 here, which has other files", controller));
    }
    // The kernel takes one line a write where a file has several, as io.max has.
    std::string_view rest = content;
    do {
      const std::string_view line = take_until(rest, '\n');
      if (!line.empty() || content.empty()) planner.write(controller, file, std::string(line), limit);
    } while (!rest.empty());
  }
  return {};
}

Result<Version> LimitPlanner::version(std::string_view name, std::string_view limit,
                                      std::string_view v2_name) const {
  for (const std::string_view one : {name, v2_name}) {
    const auto found = facts_.controllers.find(std::string(one));
    if (found != facts_.controllers.end()) return found->second;
  }
  const std::string_view shown = v2_name.empty() ? name : v2_name;
  Error error{Code::failed,
              0,
              fmt::format("linux.resources.{}: the cgroup controller {} is not there", limit, name),
              {}};
  if (facts_.v2_shown.empty()) {
    return std::unexpected(std::move(error).with_hint(fmt::format(
        "Its hierarchy of cgroup v1 is not mounted: mount -t cgroup -o {0} none /sys/fs/cgroup/{0}.", name)));
  }
  return std::unexpected(std::move(error).with_hint(fmt::format(
      "It is neither mounted as cgroup v1 nor enabled for {}: \"{}\" has to be in cgroup.subtree_control "
      "of each cgroup above that.",
      facts_.v2_shown, shown)));
}

std::string v2_value(int64_t value) {
  return value == kUnlimited ? "max" : std::to_string(value);
}

std::string number_text(const DeviceNumber& device) {
  return fmt::format("{}:{}", device.major, device.minor);
}

std::unexpected<Error> refuse_limit(std::string_view limit, std::string why) {
  return fail(Code::refused, "linux.resources.{}: {}", limit, why);
}

std::unexpected<Error> not_on_v2(std::string_view limit) {
  return refuse_limit(limit, "cgroup v2 has no such limit");
}

Result<std::vector<Write>> plan_limits(const Limits& limits, const Facts& facts) {
  LimitPlanner planner(facts);
  TRY(plan_memory(limits.memory, planner));
  TRY(plan_cpu(limits.cpu, planner));
  TRY(plan_pids(limits.pids, planner));
  TRY(plan_block_io(limits.block_io, planner));
  TRY(plan_hugepages(limits.hugepages, planner));
  TRY(plan_network(limits, planner));
  TRY(plan_rdma(limits.rdma, planner));
  TRY(plan_unified(limits.unified, planner));
  return planner.take();
}

std::vector<std::string> controllers_for(const Limits& limits) {
  // A host that has everything, to see what is used of it.
  Facts facts;
  facts.v2_shown = "v2";
  facts.memory_limit = kUnlimited;
  std::vector<std::string> needed;
  const auto need = [&needed](const std::string& name) {
    if (!name.empty() && name != "cgroup" && !contains(needed, name)) needed.push_back(name);
  };
  for (const char* name : {"memory", "cpu", "cpuset", "pids", "io", "hugetlb", "rdma"}) {
    facts.controllers.emplace(name, Version::v2);
  }
  for (const auto& [file, content] : limits.unified) {
    const size_t dot = file.find('.');
    if (dot != std::string::npos) need(file.substr(0, dot));
  }
  // Each by itself, so that what v2 has not in one does not hide the others.
  const auto add = [&](auto plan) {
    LimitPlanner planner(facts);
    if (plan(planner)) {
      for (const Write& write : planner.take()) need(write.controller);
    }
  };
  add([&](LimitPlanner& planner) { return plan_memory(limits.memory, planner); });
  add([&](LimitPlanner& planner) { return plan_cpu(limits.cpu, planner); });
  add([&](LimitPlanner& planner) { return plan_pids(limits.pids, planner); });
  add([&](LimitPlanner& planner) { return plan_block_io(limits.block_io, planner); });
  add([&](LimitPlanner& planner) { return plan_hugepages(limits.hugepages, planner); });
  add([&](LimitPlanner& planner) { return plan_rdma(limits.rdma, planner); });
  return needed;
}

}  // namespace berth::cgroup
