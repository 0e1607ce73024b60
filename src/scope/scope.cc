#include "scope/scope.h"

#include <algorithm>

#include <fcntl.h>

#include "base/fields.h"
#include "base/log.h"
#include "cgroup/membership.h"
#include "scope/unit_properties.h"
#include "sys/file.h"

namespace berth::scope {

namespace {

using systemd::Property;

constexpr size_t kLongestFile = size_t{1} << 20;

Result<std::string> proc_file(const std::string& path) {
  return sys::read_file_at(AT_FDCWD, "/proc/" + path, kLongestFile);
}

// systemd moves it in v2, or in the hierarchy of v1 that is its own.
Result<> check_membership(pid_t process, const cgroup::SystemdPath& path) {
  const std::string text = TRY(proc_file(fmt::format("{}/cgroup", process)));
  const std::string wanted = path.path().text();
  for (const cgroup::Membership& member : TRY(cgroup::parse_memberships(text))) {
    if ((member.v2() || member.key == "name=systemd") && member.path == wanted) return {};
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
void tell_systemd(systemd::Manager& manager, const std::string& unit,
                  const std::vector<Property>& properties) {
  if (manager.set_properties(unit, properties)) return;
  for (const Property& property : properties) {
    const Result<> set = manager.set_properties(unit, {property});
    if (!set)
      log::warn("systemd does not keep {} of {}, which lasts until it is reloaded: {}", property.name, unit,
                set.error().message);
  }
}

systemd::Unit unit_for(const Request& request, std::string_view devices) {
  systemd::Unit unit{.name = request.path.unit,
                     .properties = {{"Description", request.description},
                                    {"Slice", request.path.slice},
                                    {"PIDs", std::vector<uint32_t>{static_cast<uint32_t>(request.process)}},
                                    {"DefaultDependencies", false},
                                    {"CollectMode", std::string("inactive-or-failed")}}};
  if (!request.stopped_after.empty())
    unit.properties.push_back({"Before", std::vector<std::string>{request.stopped_after}});
  if (!request.delegated) return unit;
  unit.properties.push_back({"Delegate", true});
  for (const char* accounting : {"CPUAccounting", "IOAccounting", "MemoryAccounting", "TasksAccounting"})
    unit.properties.push_back({accounting, true});
  for (Property& one : device_properties(request.rules, devices)) unit.properties.push_back(std::move(one));
  return unit;
}

}  // namespace

Result<> start(systemd::Manager& manager, const std::vector<Request>& requests) {
  const Result<std::string> devices = proc_file("devices");
  std::vector<systemd::Unit> units;
  for (const Request& request : requests) units.push_back(unit_for(request, devices ? *devices : ""));
  TRY(manager.start_units(units));
  for (const Request& request : requests) TRY(check_membership(request.process, request.path));
  return {};
}

Result<> apply_limits(systemd::Manager& manager, const std::string& unit, const cgroup::Cgroup& cgroup,
                      const cgroup::Limits& limits) {
  const cgroup::Facts facts = TRY(cgroup::look_at(cgroup, limits));
  const std::vector<cgroup::Write> plan = TRY(cgroup::plan_limits(limits, facts));
  const std::vector<Property> properties = limit_properties(plan, cpu_period(cgroup));
  if (!properties.empty()) tell_systemd(manager, unit, properties);
  return cgroup::write_plan(cgroup, plan);
}

std::string unit_of(const cgroup::Cgroup& cgroup) {
  if (cgroup.parts().empty()) return "";
  const std::string& path = cgroup.parts().front().path;
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.ends_with(".scope") ? name : "";
}

void stop(const std::string& unit, const cgroup::Cgroup& cgroup) {
  const auto of_systemd = [](const cgroup::Cgroup::Part& part) {
    return part.v2() || part.hierarchy.key == "name=systemd";
  };
  if (std::none_of(cgroup.parts().begin(), cgroup.parts().end(), of_systemd)) return;
  Result<systemd::Manager> manager = systemd::Manager::connect();
  const Result<> stopped = manager ? manager->stop_unit(unit) : Result<>(std::unexpected(manager.error()));
  if (!stopped) log::warn("stop {}: {}", unit, stopped.error().message);
}

}  // namespace berth::scope
