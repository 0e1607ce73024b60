#include "engine/volumes/change_owner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// Not what is below them, but for the two that are the system itself.
constexpr std::array<std::string_view, 24> kSystem{
    "/",      "/bin",    "/boot",  "/dev", "/etc", "/home", "/lib",     "/lib32",
    "/lib64", "/libx32", "/media", "/mnt", "/opt", "/proc", "/root",    "/run",
    "/sbin",  "/srv",    "/sys",   "/tmp", "/usr", "/var",  "/var/lib", "/var/log"};

Result<> refuse_system(const std::string& source) {
  std::string real(PATH_MAX, '\0');
  if (::realpath(source.c_str(), real.data()) == nullptr) return fail_errno(errno, "find {}", source);
  real.resize(real.find('\0'));
  const bool below = real.starts_with("/etc/") || real.starts_with("/usr/") || real.starts_with("/proc/") ||
                     real.starts_with("/sys/") || real.starts_with("/dev/");
  if (!below && std::find(kSystem.begin(), kSystem.end(), real) == kSystem.end()) return {};
  return fail(Code::refused, "U would give {} of the host to a container's user", real);
}

class OwnerWalk {
 public:
  OwnerWalk(HostUid uid, HostGid gid, bool change) : uid_(uid), gid_(gid), change_(change) {}

  // The number of files that have, or had, another owner.
  Result<uint64_t> run(const std::string& source) {
    sys::UniqueFd top = TRY(sys::open_at(AT_FDCWD, source, O_PATH));
    const struct stat st = TRY(sys::stat_at(top.get(), "", AT_EMPTY_PATH));
    device_ = st.st_dev;
    TRY(visit(std::move(top), source));
    // Deep trees may be hostile, so the directories on the way are not on the stack.
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.names.empty()) {
        levels_.pop_back();
        continue;
      }
      const std::string name = std::move(level.names.back());
      level.names.pop_back();
      Result<sys::UniqueFd> child = sys::open_at(level.fd.get(), name, O_PATH | O_NOFOLLOW);
      if (!child && child.error().err == ENOENT) continue;  // somebody has removed it meanwhile
      if (!child) return std::unexpected(child.error());
      TRY(visit(std::move(*child), name));
    }
    return found_;
  }

 private:
  struct Level {
    sys::UniqueFd fd;
    std::vector<std::string> names;
  };

  // What is looked at is what is changed, whatever has its name by then.
  Result<> visit(sys::UniqueFd fd, const std::string& name) {
    const struct stat st = TRY(sys::stat_at(fd.get(), "", AT_EMPTY_PATH));
    if (st.st_dev != device_) return {};
    if (st.st_uid != uid_.value() || st.st_gid != gid_.value()) {
      ++found_;
      if (change_ && ::fchownat(fd.get(), "", uid_.value(), gid_.value(), AT_EMPTY_PATH) != 0)
        return fail_errno(errno, "change the owner of {}", name);
    }
    if (!S_ISDIR(st.st_mode)) return {};
    sys::UniqueFd directory = TRY(sys::open_at(fd.get(), ".", O_RDONLY | O_DIRECTORY));
    std::vector<std::string> names = TRY(sys::list_dir(directory.get()));
    levels_.push_back({std::move(directory), std::move(names)});
    return {};
  }

  HostUid uid_;
  HostGid gid_;
  bool change_;
  dev_t device_ = 0;
  uint64_t found_ = 0;
  std::vector<Level> levels_;
};

}  // namespace

Result<uint64_t> change_owner(const std::string& source, HostUid uid, HostGid gid) {
  TRY(refuse_system(source));
  const uint64_t count = TRY(OwnerWalk(uid, gid, false).run(source));
  if (count == 0) return count;
  log::warn("U changes the owner of {} files in {} to {}:{}", count, source, uid.value(), gid.value());
  return OwnerWalk(uid, gid, true).run(source);
}

}  // namespace berth::engine
