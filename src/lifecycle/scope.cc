#include "lifecycle/scope.h"

#include <algorithm>

#include <fcntl.h>

#include "base/fields.h"
#include "base/log.h"
#include "lifecycle/unit_properties.h"
#include "sys/file.h"
#include "systemd/manager.h"

namespace berth::lifecycle {

namespace {

using systemd::Property;

// "SLICE:PREFIX:NAME" of a container that names none.
constexpr const char* kPrefix = ":berth:";
constexpr size_t kLongestFile = size_t{1} << 20;

Result<std::string> proc_file(const std::string& path) {
  return sys::read_file_at(AT_FDCWD, "/proc/" + path, kLongestFile);
}

// systemd moves it in v2, or in the hierarchy of v1 that is its own.
Result<> check_membership(pid_t process, const cgroup::SystemdPath& path) {
  const std::string text = TRY(proc_file(fmt::format("{}/cgroup", process)));
  const std::string wanted = path.path().text();
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    take_until(line, ':');
    const std::string_view key = take_until(line, ':');
    if ((key.empty() || key == "name=systemd") && line == wanted) return {};
  }
  return fail("systemd has made {}, but not as the cgroup {}", path.unit, wanted);
}

// Of the cgroup now, in microseconds.
uint64_t cpu_period(const cgroup::Cgroup& cgroup) {
  constexpr uint64_t kUsual = 100'000;
  const cgroup::Cgroup::Part* part = cgroup.with_controller("cpu");
  if (part == nullptr) return kUsual;
  const auto text =
      sys::read_file_at(part->fd.get(), part->v2() ? "cpu.max" : "cpu.cfs_period_us", kLongestFile);
  if (!text) return kUsual;
  std::string_view rest = *text;
  if (part->v2()) take_until(rest, ' ');
  return whole_number<uint64_t>(take_until(rest, '\n')).value_or(kUsual);
}

// Older versions don't know all of them; the cgroup's files have the limit anyway.
Result<> tell_systemd(const std::string& unit, const std::vector<Property>& properties) {
  systemd::Manager manager = TRY(systemd::Manager::connect());
  if (manager.set_properties(unit, properties)) return {};
  for (const Property& property : properties) {
    const Result<> set = manager.set_properties(unit, {property});
    if (!set)
      log::warn("systemd does not keep {} of {}, which lasts until it is reloaded: {}", property.name, unit,
                set.error().message);
  }
  return {};
}

}  // namespace

Result<cgroup::SystemdPath> scope_path(const std::string& cgroups_path, const std::string& id) {
  cgroup::SystemdPath path = TRY_CONTEXT(
      cgroup::parse_systemd_path(cgroups_path.empty() ? kPrefix + id : cgroups_path), "--systemd-cgroup");
  if (!path.unit.ends_with(".scope"))
    return fail(Code::refused, "--systemd-cgroup: {} is a slice, and a container is in a scope", path.unit);
  return path;
}

Result<> start_scope(const ScopeRequest& request) {
  const Result<std::string> devices = proc_file("devices");
  std::vector<Property> properties{{"Description", "container " + request.id},
                                   {"Slice", request.path.slice},
                                   {"PIDs", std::vector<uint32_t>{static_cast<uint32_t>(request.process)}},
                                   {"Delegate", true},
                                   {"DefaultDependencies", false},
                                   {"CollectMode", std::string("inactive-or-failed")},
                                   {"CPUAccounting", true},
                                   {"IOAccounting", true},
                                   {"MemoryAccounting", true},
                                   {"TasksAccounting", true}};
  for (Property& one : device_properties(request.rules, devices ? *devices : ""))
    properties.push_back(std::move(one));
  systemd::Manager manager = TRY_CONTEXT(systemd::Manager::connect(), "--systemd-cgroup");
  TRY(manager.start_unit(request.path.unit, properties));
  return check_membership(request.process, request.path);
}

Result<> apply_limits(const std::string& unit, const cgroup::Cgroup& cgroup, const cgroup::Limits& limits) {
  const cgroup::Facts facts = TRY(cgroup::look_at(cgroup, limits));
  const std::vector<cgroup::Write> plan = TRY(cgroup::plan_limits(limits, facts));
  const std::vector<Property> properties = limit_properties(plan, cpu_period(cgroup));
  if (!properties.empty()) TRY(tell_systemd(unit, properties));
  return cgroup::write_plan(cgroup, plan);
}

void stop_scope(const std::string& unit, const cgroup::Cgroup& cgroup) {
  const auto of_systemd = [](const cgroup::Cgroup::Part& part) {
    return part.v2() || part.hierarchy.key == "name=systemd";
  };
  if (std::none_of(cgroup.parts().begin(), cgroup.parts().end(), of_systemd)) return;
  Result<systemd::Manager> manager = systemd::Manager::connect();
  const Result<> stopped = manager ? manager->stop_unit(unit) : Result<>(std::unexpected(manager.error()));
  if (!stopped) log::warn("stop {}: {}", unit, stopped.error().message);
}

}  // namespace berth::lifecycle
