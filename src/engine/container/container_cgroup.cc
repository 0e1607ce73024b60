#include "engine/container/container_cgroup.h"

#include <cerrno>
#include <set>

#include <fcntl.h>

#include "cgroup/hierarchies.h"
#include "cgroup/statistics.h"
#include "engine/container/cgroup_manager.h"
#include "engine/container/status.h"
#include "scope/scope.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr const char* kParent = "/berth";
constexpr std::string_view kPrefix = "container-";

Result<std::string> parent_of(const ResourceSpec& spec) {
  if (spec.cgroup_parent.empty()) return kParent;
  const bool absolute = spec.cgroup_parent.front() == '/';
  const cgroup::CgroupsPath path =
      TRY_CONTEXT(cgroup::parse_cgroups_path(absolute ? spec.cgroup_parent : "/" + spec.cgroup_parent),
                  "--cgroup-parent");
  return path.text();
}

// Adds the names below /berth in one hierarchy that are a container's which is not in use.
void add_names(const cgroup::Hierarchy& hierarchy, const std::unordered_set<std::string>& in_use,
               std::set<std::string>& found) {
  constexpr size_t kIdLength = 64;
  const Result<sys::UniqueFd> parent =
      sys::open_at(hierarchy.root->get(), kParent + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!parent) return;
  const Result<std::vector<std::string>> names = sys::list_dir(parent->get());
  if (!names) return;
  for (const std::string& name : *names) {
    if (name.size() != kPrefix.size() + kIdLength || !name.starts_with(kPrefix)) continue;
    if (!in_use.contains(name.substr(kPrefix.size()))) found.insert(name);
  }
}

}  // namespace

Result<monitor::CgroupRequest> cgroup_request(std::string_view id, const ResourceSpec& spec,
                                              const config::Config& config) {
  cgroup::Limits limits = TRY(cgroup_limits(spec));
  std::optional<int32_t> score;
  if (spec.oom_score_adj) score = static_cast<int32_t>(*spec.oom_score_adj);
  if (!spec.own_cgroup) {
    if (cgroup::controllers_for(limits).empty()) return monitor::CgroupRequest{.oom_score_adj = score};
    return fail(Code::usage, "with --cgroups=disabled there is no cgroup that a limit could be for");
  }
  monitor::CgroupRequest request{.path = {},
                                 .limits = std::move(limits),
                                 .usual_pids = kUsualPids,
                                 .oom_score_adj = score,
                                 .slice = TRY(slice_for(spec, config))};
  if (request.slice.empty()) {
    request.path = fmt::format("{}/{}{}", TRY(parent_of(spec)), kPrefix, id);
  } else {
    const cgroup::SystemdPath path =
        TRY(cgroup::parse_systemd_path(fmt::format("{}:berth:{}", request.slice, id)));
    request.path = path.path().text();
  }
  return request;
}

Result<std::optional<cgroup::Cgroup>> cgroup_of(const store::Store& store, std::string_view id) {
  const Result<std::string> text = sys::read_file_at(
      store.run_root(), container_directory(id) + "/" + monitor::kCgroupFile, monitor::kLongestCgroupRecord);
  if (!text && text.error().err == ENOENT) return std::optional<cgroup::Cgroup>();
  if (!text) return std::unexpected(text.error());
  const std::vector<cgroup::RecordEntry> record = TRY(cgroup::parse_record(*text));
  Result<cgroup::Cgroup> cgroup = cgroup::Cgroup::open(TRY(cgroup::hierarchies_of_this_process()), record);
  if (!cgroup && cgroup.error().code == Code::not_found) return std::optional<cgroup::Cgroup>();
  return std::optional(TRY(std::move(cgroup)));
}

bool has_run_out_of_memory(const store::Store& store, std::string_view id) {
  const Result<std::optional<cgroup::Cgroup>> cgroup = cgroup_of(store, id);
  if (!cgroup || !*cgroup) return false;
  const Result<std::optional<uint64_t>> kills = cgroup::read_oom_kills(**cgroup);
  return kills && kills->value_or(0) > 0;
}

Result<> kill_in_cgroup(const store::Store& store, std::string_view id) {
  const std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, id));
  return cgroup ? cgroup->kill_all() : Result<>();
}

Result<> remove_lost_cgroup(const store::Store& store, std::string_view id) {
  const std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, id));
  if (!cgroup) return {};
  TRY(cgroup->kill_all());
  if (const std::string unit = scope::unit_of(*cgroup); !unit.empty()) scope::stop(unit, *cgroup);
  return cgroup->remove();
}

Result<> remove_unused_cgroups(const std::unordered_set<std::string>& in_use) {
  const Result<cgroup::Hierarchies> hierarchies = cgroup::hierarchies_of_this_process();
  if (!hierarchies) return {};
  std::set<std::string> names;
  for (const cgroup::Hierarchy& hierarchy : hierarchies->all) add_names(hierarchy, in_use, names);
  for (const std::string& name : names) {
    // Its maker holds each of its directories for as long as it lives, and who makes it again meanwhile
    // waits.
    const Result<cgroup::Cgroup> unused =
        cgroup::Cgroup::open_unused(*hierarchies, {true, {kParent + 1, name}});
    if (unused) TRY(cgroup::Cgroup::remove_if_empty(*hierarchies, unused->record()));
  }
  return {};
}

}  // namespace berth::engine
