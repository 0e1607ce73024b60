#include "ledger/foreign_namespaces.h"

#include <cstdlib>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "ledger/process_ids.h"

namespace berth::ledger {

namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// Calls `look` with /proc and each process that is not the host's root's, until it says false.
Result<> for_each_process(
    const std::string& proc,
    const std::function<Result<bool>(int procfs, const std::string& pid, const struct stat& st)>& look) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(proc.c_str()));
  if (dir == nullptr) return fail_errno(errno, "read {}", proc);
  const int procfs = ::dirfd(dir.get());
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    struct stat st{};
    if (::fstatat(procfs, entry->d_name, &st, 0) != 0 || st.st_uid == 0) continue;
    if (!TRY(look(procfs, entry->d_name, st))) return {};
  }
  return {};
}

void add_maps(int procfs, const std::string& pid, IdKind kind, std::vector<idmap::IdRange>& ranges) {
  const auto add = [&](const char* map) {
    const std::vector<idmap::IdRange> mapped = ranges_mapped_by(procfs, pid + map);
    ranges.insert(ranges.end(), mapped.begin(), mapped.end());
  };
  if (has_users(kind)) add("/uid_map");
  if (has_groups(kind)) add("/gid_map");
}

RunningUse describe(int procfs, const std::string& pid, const idmap::IdRange& ids) {
  return {static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10)), printable(command_of(procfs, pid)), ids};
}

}  // namespace

Result<std::vector<idmap::IdRange>> mapped_ranges(const std::string& proc,
                                                  const std::function<Result<bool>(HostUid)>& ours) {
  std::vector<idmap::IdRange> ranges;
  const auto look = [&](int procfs, const std::string& pid, const struct stat& st) -> Result<bool> {
    if (!TRY(ours(HostUid(st.st_uid)))) add_maps(procfs, pid, IdKind::both, ranges);
    return true;
  };
  TRY(for_each_process(proc, look));
  return idmap::normalized(std::move(ranges));
}

Result<std::optional<RunningUse>> find_running_use(const std::string& proc, IdKind kind,
                                                   const idmap::IdRange& range) {
  std::optional<RunningUse> found;
  const auto look = [&](int procfs, const std::string& pid, const struct stat& st) -> Result<bool> {
    std::vector<idmap::IdRange> maps;
    add_maps(procfs, pid, kind, maps);
    for (const idmap::IdRange& map : maps) {
      if (!found && map.overlaps(range)) found = describe(procfs, pid, map);
    }
    const auto look_at_own = [&](uint64_t id) {
      if (!found && range.contains(id)) found = describe(procfs, pid, {id, id + 1});
    };
    if (has_users(kind)) look_at_own(st.st_uid);
    if (has_groups(kind)) look_at_own(st.st_gid);
    return !found;
  };
  TRY(for_each_process(proc, look));
  return found;
}

}  // namespace berth::ledger
