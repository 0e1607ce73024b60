#include "engine/ids/kept_groups.h"

#include <cerrno>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "config/policy_checks.h"

namespace berth::engine {

namespace {

constexpr std::string_view kAsked = "--group-add keep-groups";

// All groups that the host's name service puts the caller into.
Result<std::vector<gid_t>> groups_of(Caller caller) {
  const passwd* entry = ::getpwuid(caller.uid.value());
  if (entry == nullptr) return std::vector<gid_t>{caller.gid.value()};
  const std::string name = entry->pw_name;
  constexpr int kMost = 65536;  // NGROUPS_MAX
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (::getgrouplist(name.c_str(), caller.gid.value(), groups.data(), &count) < 0) {
    if (count > kMost || groups.size() >= kMost)
      return fail(Code::refused, "{} is in more than {} groups", name, kMost);
    groups.resize(std::max(static_cast<size_t>(count), groups.size() * 2));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<size_t>(count));
  return groups;
}

}  // namespace

Result<std::vector<HostGid>> own_groups() {
  const int count = ::getgroups(0, nullptr);
  std::vector<gid_t> raw(count > 0 ? static_cast<size_t>(count) : 0);
  if (count < 0 || ::getgroups(count, raw.data()) < 0) return fail_errno(errno, "find the caller's groups");
  std::vector<HostGid> groups;
  for (const gid_t gid : raw) groups.emplace_back(gid);
  return groups;
}

Result<> check_kept_groups(const config::Config& config, const std::vector<HostGid>& groups) {
  TRY(config::check_host_namespace(config, kAsked));
  std::vector<idmap::IdRange> ranges;
  for (const HostGid gid : groups) ranges.push_back({gid.value(), uint64_t{gid.value()} + 1});
  return config::check_ranges(config, ranges, kAsked);
}

Result<> take_kept_groups(const ContainerSpec& spec, const config::Config& config, Caller caller) {
  if (!spec.keep_groups) return {};
  if (caller.uid.value() != ::getuid()) {
    const std::vector<gid_t> groups = TRY_CONTEXT(groups_of(caller), "{}", kAsked);
    if (::setgroups(groups.size(), groups.data()) != 0)
      return fail_errno(errno, "{}: take on the caller's groups", kAsked);
  }
  return check_kept_groups(config, TRY(own_groups()));
}

std::string kept_groups_text(const std::vector<HostGid>& groups, const idmap::IdMap& gids) {
  constexpr size_t kShown = 8;
  if (groups.empty()) return "keep-groups: the caller is in no group, so the process is in none.";
  std::string list;
  size_t unmapped = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto inside = gids.to_container(groups[i]);
    if (!inside) ++unmapped;
    if (i >= kShown) continue;
    if (i > 0) list += ", ";
    list += std::to_string(groups[i].value());
    if (inside && inside->value() != groups[i].value()) list += fmt::format(" (as {})", inside->value());
  }
  if (groups.size() > kShown) list += fmt::format(" and {} more", groups.size() - kShown);
  const std::string shown =
      unmapped == 0 ? ""
                    : fmt::format("; {} of them not in the container's map, where `id` says 65534", unmapped);
  return fmt::format("keep-groups: the process may do what the host's group{} {} may{}.",
                     groups.size() == 1 ? "" : "s", list, shown);
}

}  // namespace berth::engine
