#include "lifecycle/sub_cgroup.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fcntl.h>

#include "base/fields.h"
#include "cgroup/membership.h"
#include "safepath/root.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::lifecycle {

namespace {

struct Place {
  std::vector<std::string> controllers;  // empty: all hierarchies
  std::string path;                      // relative
};

Result<Place> parse(const std::string& text) {
  Place place;
  const bool has_names = text.find(':') != std::string::npos;
  std::string_view rest = text;
  std::string_view names = has_names ? take_until(rest, ':') : "";
  place.path = safepath::relative(rest);
  if (has_names && names.empty())
    return fail(Code::usage, "--cgroup {}: no controller stands before the colon", text);
  while (!names.empty()) place.controllers.emplace_back(take_until(names, ','));
  return place;
}

bool is_meant(const cgroup::Hierarchy& hierarchy, const Place& place) {
  return place.controllers.empty() ||
         std::any_of(place.controllers.begin(), place.controllers.end(),
                     [&](const std::string& name) { return hierarchy.has(name); });
}

// One part of a cgroup on its way down.
Result<> descend(const cgroup::Cgroup::Part& part, const std::string& path, cgroup::RecordEntry& entry) {
  if (path.empty()) return {};
  const sys::UniqueFd directory =
      TRY(sys::open_at2(part.fd.get(), path, O_PATH | O_DIRECTORY, 0,
                        RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
  entry.path = part.path + "/" + path;
  entry.id = TRY(sys::stat_at(directory.get(), "", AT_EMPTY_PATH)).st_ino;
  return {};
}

Result<std::optional<std::string_view>> unified_path(std::string_view proc_cgroup) {
  for (const cgroup::Membership& member : TRY(cgroup::parse_memberships(proc_cgroup))) {
    if (member.v2()) return std::optional(member.path);
  }
  return std::optional<std::string_view>();
}

}  // namespace

Result<cgroup::Cgroup> open_sub_cgroup(const cgroup::Cgroup& own, const std::vector<std::string>& places) {
  std::vector<cgroup::RecordEntry> entries = own.record();
  for (const std::string& text : places) {
    const Place place = TRY(parse(text));
    bool used = false;
    for (size_t i = 0; i < entries.size(); ++i) {
      const cgroup::Cgroup::Part& part = own.parts()[i];
      if (!is_meant(part.hierarchy, place)) continue;
      used = true;
      TRY_CONTEXT(descend(part, place.path, entries[i]), "--cgroup {}", text);
    }
    if (!used) return fail(Code::usage, "--cgroup {}: no hierarchy has that controller", text);
  }
  return cgroup::Cgroup::open(TRY(cgroup::hierarchies_of_this_process()), entries);
}

Result<cgroup::Cgroup> open_cgroup_of_process(const cgroup::Cgroup& own, pid_t pid) {
  constexpr size_t kLongest = size_t{1} << 20;
  const std::string text = TRY(sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cgroup", pid), kLongest));
  const std::optional<std::string_view> path = TRY(unified_path(text));
  std::vector<cgroup::RecordEntry> entries = own.record();
  for (size_t i = 0; path && i < entries.size(); ++i) {
    const cgroup::Cgroup::Part& part = own.parts()[i];
    if (!part.v2()) continue;
    if (!path->starts_with(part.path + "/"))
      return fail(Code::refused, "the container's process is not in its cgroup {}", part.shown());
    TRY_CONTEXT(descend(part, safepath::relative(path->substr(part.path.size())), entries[i]),
                "open the cgroup {} of the container's process", *path);
  }
  return cgroup::Cgroup::open(TRY(cgroup::hierarchies_of_this_process()), entries);
}

}  // namespace berth::lifecycle
