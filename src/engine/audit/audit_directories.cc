#include "engine/audit/audit_directories.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/file.h"

namespace berth::engine {

namespace {

struct Directory {
  std::string path;
  struct stat st{};
};

bool is_open(const struct stat& st) {
  constexpr mode_t kOthers = 077;
  return st.st_uid != 0 || (st.st_mode & kOthers) != 0;
}

// `reachable`: whoever is let in by its mode comes as far as this directory.
Finding describe(const Directory& directory, bool reachable) {
  constexpr mode_t kPermissions = 07777;
  return {reachable ? Severity::high : Severity::low,
          FindingKind::open_directory,
          reachable
              ? fmt::format("users of this host can enter {}, below which files may be setuid root",
                            directory.path)
              : fmt::format("only the directory above keeps users of this host out of {}", directory.path),
          {{"path", directory.path},
           {"mode", fmt::format("{:04o}, of user {} and group {}", directory.st.st_mode & kPermissions,
                                directory.st.st_uid, directory.st.st_gid)}},
          fmt::format("chown root:root {0}; chmod 0700 {0}", directory.path)};
}

class Look {
 public:
  Look(int root, std::string path) : root_(root), path_(std::move(path)) {}

  Result<> begin() {
    const struct stat st = TRY_CONTEXT(sys::stat_at(root_, "", AT_EMPTY_PATH), "cannot look at {}", path_);
    reachable_ = is_open(st);
    if (reachable_) findings_.push_back(describe({path_, st}, true));
    return {};
  }

  // A directory below, and what is in it if `with_members`. One that is not there is no matter.
  Result<> at(const std::string& name, bool with_members) {
    const bool open = look_at(name, reachable_);
    if (!with_members) return {};
    const Result<sys::UniqueFd> fd = sys::open_at(root_, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd && fd.error().err == ENOENT) return {};
    if (!fd) return std::unexpected(fd.error());
    std::vector<std::string> members = TRY(sys::list_dir(fd->get()));
    std::ranges::sort(members);
    for (const std::string& member : members) look_at(name + "/" + member, reachable_ && open);
    return {};
  }

  std::vector<Finding> take() { return std::move(findings_); }

 private:
  bool look_at(const std::string& name, bool reachable) {
    const Result<struct stat> st = sys::stat_at(root_, name, AT_SYMLINK_NOFOLLOW);
    if (!st || !S_ISDIR(st->st_mode) || !is_open(*st)) return false;
    findings_.push_back(describe({path_ + "/" + name, *st}, reachable));
    return true;
  }

  int root_;
  std::string path_;
  bool reachable_ = false;
  std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<Finding>> audit_directories(const store::Store& store) {
  Look root(store.root(), store.locations().root);
  TRY(root.begin());
  for (const char* name :
       {"blobs", "blobs/sha256", "layers", "identities", "cache", "cache/seccomp", "tmp"}) {
    TRY(root.at(name, false));
  }
  for (const char* name : {"containers", "volumes"}) TRY(root.at(name, true));
  Look run_root(store.run_root(), store.locations().run_root);
  TRY(run_root.begin());
  TRY(run_root.at("containers", true));
  std::vector<Finding> findings = root.take();
  std::ranges::move(run_root.take(), std::back_inserter(findings));
  return findings;
}

}  // namespace berth::engine
