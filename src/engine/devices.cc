#include "engine/devices.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/file.h"

namespace berth::engine {

namespace {

Result<> add_device(const DeviceSpec& device, std::vector<runtime::DevicePlan>& plans) {
  const sys::UniqueFd node = TRY_CONTEXT(sys::open_at(AT_FDCWD, device.source, O_PATH), "--device");
  const struct stat st = TRY(sys::stat_at(node.get(), "", AT_EMPTY_PATH));
  if (S_ISDIR(st.st_mode)) {
    std::vector<std::string> names = TRY(sys::list_dir(node.get()));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const struct stat entry = TRY(sys::stat_at(node.get(), name, AT_SYMLINK_NOFOLLOW));
      if (!S_ISCHR(entry.st_mode) && !S_ISBLK(entry.st_mode)) continue;
      TRY(add_device({device.source + "/" + name, device.target + "/" + name}, plans));
    }
    return {};
  }
  if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) {
    return fail(Code::usage, "--device {}: it is not a device", device.source);
  }
  plans.push_back({.path = device.target,
                   .type = st.st_mode & S_IFMT,
                   .major = major(st.st_rdev),
                   .minor = minor(st.st_rdev),
                   .mode = st.st_mode & 0777U});
  return {};
}

}  // namespace

Result<std::vector<runtime::DevicePlan>> resolve_devices(const std::vector<DeviceSpec>& devices) {
  std::vector<runtime::DevicePlan> plans;
  for (const DeviceSpec& device : devices) {
    if (!device.target.starts_with("/dev/")) {
      return fail(Code::usage, "--device {}: its place in the container must be below /dev", device.target);
    }
    TRY(add_device(device, plans));
  }
  return plans;
}

}  // namespace berth::engine
