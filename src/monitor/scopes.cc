#include "monitor/scopes.h"

#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "cgroup/membership.h"
#include "scope/scope.h"
#include "sys/file.h"

namespace berth::monitor {

namespace {

constexpr std::string_view kPrefix = "berth-";
constexpr std::string_view kMonitorPrefix = "berth-monitor-";
// The package's unit, which stops all containers as each of them wants to be stopped (`berth system halt`).
constexpr const char* kHaltingUnit = "berth-boot.service";

Result<std::string> memberships_of(pid_t process) {
  constexpr size_t kLargest = size_t{1} << 20;
  return sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cgroup", process), kLargest);
}

// A process that restarts a container is where its monitor was, and so is the new monitor.
Result<bool> is_in(const cgroup::SystemdPath& path) {
  const std::string text = TRY(memberships_of(::getpid()));
  const std::string wanted = path.path().text();
  for (const cgroup::Membership& member : TRY(cgroup::parse_memberships(text))) {
    if (member.path == wanted) return true;
  }
  return false;
}

}  // namespace

Result<> start_scopes(const CgroupRequest& request, pid_t process) {
  const std::string unit = request.path.substr(request.path.rfind('/') + 1);
  if (!unit.starts_with(kPrefix))
    return fail(Code::refused, "{} is no scope of a container", printable(unit));
  const std::string rest = unit.substr(kPrefix.size());
  const std::string id = rest.substr(0, rest.rfind('.'));
  const cgroup::SystemdPath own{request.slice, fmt::format("{}{}", kMonitorPrefix, rest)};
  std::vector<scope::Request> scopes{{.description = fmt::format("berth container {}", id),
                                      .path = {request.slice, unit},
                                      .process = process,
                                      .stopped_after = kHaltingUnit}};
  if (!TRY(is_in(own))) {
    scopes.push_back({.description = fmt::format("monitor of the berth container {}", id),
                      .path = own,
                      .process = ::getpid(),
                      .delegated = false,
                      .stopped_after = kHaltingUnit});
  }
  systemd::Manager manager = TRY(systemd::Manager::connect());
  return scope::start(manager, scopes);
}

Result<bool> is_in_v2(pid_t process, std::string_view path) {
  const std::string text = TRY(memberships_of(process));
  for (const cgroup::Membership& member : TRY(cgroup::parse_memberships(text))) {
    if (member.v2()) return member.path == path;
  }
  return false;
}

}  // namespace berth::monitor
