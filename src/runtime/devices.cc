#include "runtime/devices.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::runtime {

namespace {

struct Link {
  const char* name;
  const char* target;
};
constexpr std::array<Link, 6> kLinks{{{"fd", "/proc/self/fd"},
                                      {"stdin", "/proc/self/fd/0"},
                                      {"stdout", "/proc/self/fd/1"},
                                      {"stderr", "/proc/self/fd/2"},
                                      {"core", "/proc/kcore"},
                                      {"ptmx", "pts/ptmx"}}};

// Devices get the mode of their plan, whatever the caller's umask.
class NoUmask {
 public:
  NoUmask() : before_(::umask(0)) {}
  NoUmask(const NoUmask&) = delete;
  NoUmask& operator=(const NoUmask&) = delete;
  ~NoUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

// A directory that stays open for the next device in it.
struct Folder {
  std::string path;
  sys::UniqueFd dir;
};

Result<> make_node(const DevicePlan& device, const safepath::Root& root, const ContainerPlan& plan,
                   Folder& folder) {
  const size_t slash = device.path.rfind('/');
  std::string above = device.path.substr(0, slash);
  if (!folder.dir || folder.path != above) {
    folder.dir = TRY(root.make_dirs(above));
    folder.path = std::move(above);
  }
  const int parent = folder.dir.get();
  const std::string name = device.path.substr(slash + 1);
  const dev_t number = makedev(device.major, device.minor);
  if (::mknodat(parent, name.c_str(), device.type | device.mode, number) != 0) {
    if (errno != EEXIST) return fail_errno(errno, "make the device");
    // As a root file system or a mount may have it already. Another one there is an error (config-linux.md,
    // "Devices").
    const struct stat there = TRY(sys::stat_at(parent, name, AT_SYMLINK_NOFOLLOW));
    if ((there.st_mode & S_IFMT) != device.type || (device.type != S_IFIFO && there.st_rdev != number))
      return fail("there is something else at this path");
    return {};
  }
  // The new node is the container root's.
  if (device.uid == 0 && device.gid == 0) return {};
  const uint32_t uid = TRY(outside_id(plan.uid_map, device.uid));
  const uint32_t gid = TRY(outside_id(plan.gid_map, device.gid));
  if (::fchownat(parent, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "chown the device");
  return {};
}

}  // namespace

std::vector<DevicePlan> standard_devices() {
  return {{.path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3},
          {.path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5},
          {.path = "/dev/full", .type = S_IFCHR, .major = 1, .minor = 7},
          {.path = "/dev/random", .type = S_IFCHR, .major = 1, .minor = 8},
          {.path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9},
          {.path = "/dev/tty", .type = S_IFCHR, .major = 5, .minor = 0}};
}

void put_device(std::vector<DevicePlan>& devices, DevicePlan device) {
  std::erase_if(devices, [&](const DevicePlan& other) { return other.path == device.path; });
  devices.push_back(std::move(device));
}

Result<> make_devices(const std::vector<DevicePlan>& devices, const safepath::Root& root,
                      const ContainerPlan& plan) {
  const NoUmask exact;
  Folder folder;
  for (const DevicePlan& device : devices)
    TRY_CONTEXT(make_node(device, root, plan, folder), "{}", device.path);
  const sys::UniqueFd dev = TRY(root.open("/dev", O_PATH | O_DIRECTORY));
  for (const Link& link : kLinks) {
    if (::symlinkat(link.target, dev.get(), link.name) != 0 && errno != EEXIST) {
      return fail_errno(errno, "make the link /dev/{}", link.name);
    }
  }
  return {};
}

}  // namespace berth::runtime
