#include "cgroup/membership.h"

#include "base/fields.h"

namespace berth::cgroup {

namespace {

Result<Membership> parse_membership(std::string_view line) {
  Membership found;
  const auto number = whole_number<uint64_t>(take_until(line, ':'));
  if (!number) return fail("a line of /proc/PID/cgroup begins with no number");
  found.number = *number;
  if (line.find(':') == std::string_view::npos) return fail("a line of /proc/PID/cgroup has no path");
  found.key = take_until(line, ':');
  found.path = line;
  if (found.path.empty() || found.path[0] != '/') return fail("a path in /proc/PID/cgroup is not absolute");
  return found;
}

}  // namespace

Result<std::vector<Membership>> parse_memberships(std::string_view proc_cgroup) {
  std::vector<Membership> found;
  while (!proc_cgroup.empty()) {
    const std::string_view line = take_until(proc_cgroup, '\n');
    if (!line.empty()) found.push_back(TRY(parse_membership(line)));
  }
  return found;
}

}  // namespace berth::cgroup
