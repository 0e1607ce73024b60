#include "engine/audit/audit_volumes.h"

#include <cerrno>
#include <map>
#include <memory>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/volumes/volumes.h"
#include "idmap/id_range.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kDeepest = 200;       // directories that are open at once
constexpr size_t kMostOwners = 20;     // findings of one volume
constexpr size_t kMostTracked = 4096;  // different wrong owners of one volume that are counted apart

struct Use {
  const ContainerFacts* container = nullptr;
  const VolumeUse* volume = nullptr;
};

// The IDs on disk that are somebody's.
struct Allowed {
  std::vector<idmap::IdRange> users;
  std::vector<idmap::IdRange> groups;
};

// nullopt: every ID is, as a container has no map at all.
std::optional<Allowed> allowed_in(const std::vector<Use>& uses) {
  Allowed allowed;
  for (const Use& use : uses) {
    // A record that can't be read accuses nobody.
    if (use.volume->users.empty() || use.volume->groups.empty()) return std::nullopt;
    allowed.users.insert(allowed.users.end(), use.volume->users.begin(), use.volume->users.end());
    allowed.groups.insert(allowed.groups.end(), use.volume->groups.begin(), use.volume->groups.end());
  }
  return Allowed{idmap::normalized(std::move(allowed.users)), idmap::normalized(std::move(allowed.groups))};
}

bool contains(const std::vector<idmap::IdRange>& ranges, uint64_t id) {
  for (const idmap::IdRange& range : ranges) {
    if (range.contains(id)) return true;
  }
  return false;
}

struct Wrong {
  int64_t files = 0;
  std::string first;  // path below the volume
};

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

class Walk {
 public:
  Walk(const Allowed& allowed, int64_t& left) : allowed_(allowed), left_(left) {}

  // Takes the directory over. An error only if it can't be read itself.
  Result<> through(sys::UniqueFd top) {
    struct stat st{};
    if (::fstat(top.get(), &st) != 0) return fail_errno(errno, "look at the volume");
    device_ = st.st_dev;
    look_at(st, "");
    TRY(enter(std::move(top), ""));
    while (!levels_.empty()) {
      const dirent* entry = ::readdir(levels_.back().stream.get());
      if (entry == nullptr) {
        levels_.pop_back();
        continue;
      }
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (left_ == 0) {
        ended_early_ = true;
        return {};
      }
      visit(name);
    }
    return {};
  }

  [[nodiscard]] bool ended_early() const { return ended_early_; }
  [[nodiscard]] int64_t too_deep() const { return too_deep_; }
  [[nodiscard]] const std::map<uint32_t, Wrong>& users() const { return users_; }
  [[nodiscard]] const std::map<uint32_t, Wrong>& groups() const { return groups_; }

 private:
  struct Level {
    std::unique_ptr<DIR, CloseDir> stream;
    std::string path;  // below the volume, with a slash at its end
  };

  Result<> enter(sys::UniqueFd fd, std::string path) {
    std::unique_ptr<DIR, CloseDir> stream(::fdopendir(fd.get()));
    if (stream == nullptr) return fail_errno(errno, "read the volume");
    [[maybe_unused]] const int owned_by_stream = fd.release();
    levels_.push_back({std::move(stream), std::move(path)});
    return {};
  }

  void visit(const std::string& name) {
    const int here = ::dirfd(levels_.back().stream.get());
    struct stat st{};
    if (::fstatat(here, name.c_str(), &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) return;  // gone
    --left_;
    const std::string path = levels_.back().path + name;
    look_at(st, path);
    if (!S_ISDIR(st.st_mode) || st.st_dev != device_) return;
    if (levels_.size() == kDeepest) {
      ++too_deep_;
      return;
    }
    Result<sys::UniqueFd> fd = sys::open_at(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
    struct stat opened{};
    if (!fd || ::fstat(fd->get(), &opened) != 0 || opened.st_dev != device_) return;
    [[maybe_unused]] const Result<> entered = enter(std::move(*fd), path + "/");
  }

  void look_at(const struct stat& st, const std::string& path) {
    if (!contains(allowed_.users, st.st_uid)) count(users_, st.st_uid, path);
    if (!contains(allowed_.groups, st.st_gid)) count(groups_, st.st_gid, path);
  }

  static void count(std::map<uint32_t, Wrong>& wrong, uint32_t id, const std::string& path) {
    if (wrong.size() >= kMostTracked && !wrong.contains(id)) return;
    Wrong& owner = wrong[id];
    if (owner.files++ == 0) owner.first = path;
  }

  const Allowed& allowed_;
  int64_t& left_;
  dev_t device_ = 0;
  std::vector<Level> levels_;
  bool ended_early_ = false;
  int64_t too_deep_ = 0;
  std::map<uint32_t, Wrong> users_;
  std::map<uint32_t, Wrong> groups_;
};

std::string names_of(const std::vector<Use>& uses) {
  constexpr size_t kMost = 4;
  std::string names;
  for (size_t i = 0; i < uses.size() && i < kMost; ++i)
    names += (i == 0 ? "" : ", ") + uses[i].container->name;
  return uses.size() <= kMost ? names : fmt::format("{} and {} more", names, uses.size() - kMost);
}

struct Volume {
  std::string name;
  std::string directory;  // its path
  std::vector<Use> uses;
};

void report(const Volume& volume, std::string_view kind, const std::map<uint32_t, Wrong>& wrong,
            VolumeAudit& audit) {
  size_t reported = 0;
  for (const auto& [id, owner] : wrong) {
    if (++reported > kMostOwners) break;
    audit.findings.push_back(
        {Severity::medium,
         FindingKind::unmapped_file,
         fmt::format("{} {} in volume {} to the {} {}, which no container that uses it has", owner.files,
                     owner.files == 1 ? "file belongs" : "files belong", volume.name, kind, id),
         {{"path", volume.directory + (owner.first.empty() ? "" : "/" + owner.first)},
          {"containers", names_of(volume.uses)}},
         fmt::format("They show as nobody's and can't be changed inside. Give them an owner that a container "
                     "has: find "
                     "{} -xdev -{} {} -exec chown -h {} {{}} +",
                     volume.directory, kind == "user" ? "uid" : "gid", id, kind == "user" ? "0" : ":0")});
  }
  if (wrong.size() > kMostOwners) {
    audit.not_looked_at.push_back(
        fmt::format("Volume {} has files of {} more {}s that no container that uses it has.", volume.name,
                    wrong.size() - kMostOwners, kind));
  }
}

Result<> audit_volume(int root, const Volume& volume, int64_t& left, VolumeAudit& audit) {
  const std::optional<Allowed> allowed = allowed_in(volume.uses);
  if (!allowed) return {};
  Result<sys::UniqueFd> top =
      sys::open_at(root, volume_data_directory(volume.name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
  if (!top) {
    audit.not_looked_at.push_back(
        fmt::format("Volume {} could not be looked at: {}.", volume.name, top.error().message));
    return {};
  }
  Walk walk(*allowed, left);
  TRY_CONTEXT(walk.through(std::move(*top)), "volume {}", volume.name);
  report(volume, "user", walk.users(), audit);
  report(volume, "group", walk.groups(), audit);
  if (walk.ended_early()) {
    audit.not_looked_at.push_back(
        fmt::format("Volume {} was not looked at to its end: --files has been reached.", volume.name));
  }
  if (walk.too_deep() > 0) {
    audit.not_looked_at.push_back(fmt::format("Volume {} has {} directories deeper than {} levels.",
                                              volume.name, walk.too_deep(), kDeepest));
  }
  return {};
}

}  // namespace

Result<VolumeAudit> audit_volumes(int root, const std::string& root_path, const IdFacts& facts,
                                  int64_t most_files) {
  std::map<std::string, std::vector<Use>> volumes;
  for (const ContainerFacts& container : facts.containers) {
    for (const VolumeUse& volume : container.volumes) volumes[volume.name].push_back({&container, &volume});
  }
  VolumeAudit audit;
  int64_t left = most_files;
  for (const auto& [name, uses] : volumes) {
    TRY(audit_volume(root, {name, fmt::format("{}/{}", root_path, volume_data_directory(name)), uses}, left,
                     audit));
  }
  return audit;
}

}  // namespace berth::engine
