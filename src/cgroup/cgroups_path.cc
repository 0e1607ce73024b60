#include "cgroup/cgroups_path.h"

#include <algorithm>

#include "base/fields.h"

namespace berth::cgroup {

namespace {

constexpr size_t kLongestName = 255;   // NAME_MAX
constexpr size_t kLongestPath = 4000;  // PATH_MAX, with room for the mount point
constexpr size_t kDeepest = 64;        // each part costs a system call a hierarchy
constexpr std::string_view kSlice = ".slice";

Result<> check_name(std::string_view name, std::string_view whole) {
  if (name == "..") return fail(Code::refused, "the cgroup path \"{}\" has a \"..\" in it", printable(whole));
  if (name.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos) {
    return fail(Code::refused, "the cgroup path \"{}\" has a NUL or a line break in it", printable(whole));
  }
  if (name.size() > kLongestName) {
    return fail(Code::refused, "a name in the cgroup path has {} bytes; the kernel takes {}", name.size(),
                kLongestName);
  }
  return {};
}

// What systemd allows in a unit's name (systemd.unit(5)), less '@', which would make it an instance.
bool unit_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(":-_.\\").find(c) != std::string_view::npos;
}

Result<> check_unit(std::string_view name, std::string_view what, std::string_view whole) {
  if (!name.empty() && name[0] != '.' && name.size() <= kLongestName &&
      std::all_of(name.begin(), name.end(), unit_character)) {
    return {};
  }
  return fail(Code::refused, "the cgroup path \"{}\": \"{}\" can't be the name of a {} of systemd",
              printable(whole), printable(name), what);
}

}  // namespace

std::string CgroupsPath::text() const {
  std::string out;
  for (const std::string& part : parts) {
    if (absolute || !out.empty()) out += '/';
    out += part;
  }
  return out;
}

Result<CgroupsPath> parse_cgroups_path(std::string_view text) {
  if (text.size() > kLongestPath) {
    return fail(Code::refused, "the cgroup path has {} bytes; at most {} are taken", text.size(),
                kLongestPath);
  }
  CgroupsPath path;
  path.absolute = text.starts_with('/');
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view name = take_until(rest, '/');
    if (name.empty() || name == ".") continue;
    TRY(check_name(name, text));
    path.parts.emplace_back(name);
  }
  if (path.parts.empty())
    return fail(Code::refused, "the cgroup path \"{}\" names no cgroup", printable(text));
  if (path.parts.size() > kDeepest) {
    return fail(Code::refused, "the cgroup path is {} names deep; at most {} are taken", path.parts.size(),
                kDeepest);
  }
  return path;
}

Result<SystemdPath> parse_systemd_path(std::string_view text) {
  if (std::count(text.begin(), text.end(), ':') != 2) {
    return fail(Code::refused,
                "the cgroup path \"{}\" is not of the form slice:prefix:name, as systemd needs it",
                printable(text));
  }
  std::string_view rest = text;
  SystemdPath path;
  path.slice = take_until(rest, ':');
  const std::string_view prefix = take_until(rest, ':');
  const std::string_view name = rest;
  if (path.slice.empty()) path.slice = "system.slice";
  TRY(check_unit(path.slice, "slice", text));
  const std::string_view stem = std::string_view(path.slice).substr(0, path.slice.size() - kSlice.size());
  if (!path.slice.ends_with(kSlice) ||
      (path.slice != "-.slice" &&
       (stem.empty() || stem[0] == '-' || stem.back() == '-' || stem.find("--") != std::string_view::npos))) {
    return fail(Code::refused, "the cgroup path \"{}\": \"{}\" can't be the name of a slice of systemd",
                printable(text), printable(path.slice));
  }
  if (name.empty()) return fail(Code::refused, "the cgroup path \"{}\" names no unit", printable(text));
  path.unit = name.ends_with(kSlice) ? std::string(name)
              : prefix.empty()       ? fmt::format("{}.scope", name)
                                     : fmt::format("{}-{}.scope", prefix, name);
  TRY(check_unit(path.unit, "unit", text));
  // A slice of many words is deep, and its path long.
  TRY(parse_cgroups_path(path.path().text()));
  return path;
}

// A slice "a-b-c.slice" is in "a-b.slice", which is in "a.slice" (systemd.slice(5)).
CgroupsPath SystemdPath::path() const {
  CgroupsPath out{.absolute = true, .parts = {}};
  if (slice != "-.slice") {
    const std::string stem = slice.substr(0, slice.size() - kSlice.size());
    for (size_t dash = stem.find('-'); dash != std::string::npos; dash = stem.find('-', dash + 1)) {
      out.parts.push_back(stem.substr(0, dash) + std::string(kSlice));
    }
    out.parts.push_back(slice);
  }
  out.parts.push_back(unit);
  return out;
}

}  // namespace berth::cgroup
