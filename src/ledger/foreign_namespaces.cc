#include "ledger/foreign_namespaces.h"

#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "idmap/id_map.h"
#include "sys/file.h"

namespace berth::ledger {

namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// A process may end at any time; then it has no map.
void add_map(int procfs, const std::string& path, std::vector<idmap::IdRange>& ranges) {
  constexpr size_t kLimit = idmap::IdMap::kMaxExtents * 40;  // the kernel pads each number to ten columns
  const Result<std::string> text = sys::read_file_at(procfs, path, kLimit);
  if (!text || text->empty()) return;
  const Result<idmap::IdMap> map = idmap::IdMap::parse(*text);
  if (!map) return;
  for (const idmap::Extent& extent : map->extents()) {
    if (extent.inside == extent.outside) continue;
    ranges.push_back({extent.outside, static_cast<uint64_t>(extent.outside) + extent.count});
  }
}

}  // namespace

Result<std::vector<idmap::IdRange>> mapped_ranges(const std::string& proc,
                                                  const std::function<Result<bool>(HostUid)>& ours) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(proc.c_str()));
  if (dir == nullptr) return fail_errno(errno, "read {}", proc);
  const int procfs = ::dirfd(dir.get());
  std::vector<idmap::IdRange> ranges;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    struct stat st{};
    if (::fstatat(procfs, entry->d_name, &st, 0) != 0 || st.st_uid == 0) continue;
    if (TRY(ours(HostUid(st.st_uid)))) continue;
    const std::string pid = entry->d_name;
    add_map(procfs, pid + "/uid_map", ranges);
    add_map(procfs, pid + "/gid_map", ranges);
  }
  return idmap::normalized(std::move(ranges));
}

}  // namespace berth::ledger
