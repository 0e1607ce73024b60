// Makes and opens devices, and writes where the host's kernel is set.
//
// Usage: devices [made] [open=PATH]...
// made: nodes can be made here (the host's user namespace), but not opened.
#include <array>
#include <string>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attempts.h"

namespace {

struct Device {
  const char* name;
  mode_t type;
  unsigned major;
  unsigned minor;
};
constexpr std::array<Device, 5> kDevices{{{"sda", S_IFBLK, 8, 0},
                                          {"loop0", S_IFBLK, 7, 0},
                                          {"mem", S_IFCHR, 1, 1},
                                          {"kmsg", S_IFCHR, 1, 11},
                                          {"zero", S_IFCHR, 1, 5}}};

void make_devices(attack::Attempts& attempts, const std::string& directory, bool can_make) {
  for (const Device& device : kDevices) {
    const std::string path = directory + "/made-" + device.name;
    const int made = ::mknod(path.c_str(), device.type | 0666, makedev(device.major, device.minor));
    if (can_make) {
      attempts.must_hold(made == 0, "mknod " + path + " without more than a node");
    } else {
      attempts.must_fail(made, "mknod " + path);
    }
    if (made == 0)
      attempts.must_fail(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open " + path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  attack::Attempts attempts;
  const bool can_make = argc > 1 && std::string(argv[1]) == "made";
  for (const char* directory : {"/dev", "/tmp", "/dev/shm", "/root"})
    make_devices(attempts, directory, can_make);
  for (const char* path :
       {"/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
        "/proc/sys/vm/memfd_noexec", "/proc/sys/fs/binfmt_misc/register", "/sys/kernel/uevent_helper",
        "/sys/power/state", "/proc/acpi/call"}) {
    attempts.must_fail(::open(path, O_WRONLY | O_CLOEXEC), std::string("open ") + path + " for writing");
  }
  for (const char* path :
       {"/dev/kmsg", "/dev/mem", "/dev/kvm", "/dev/loop-control", "/dev/fuse", "/dev/port"}) {
    attempts.must_fail(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), std::string("open ") + path);
  }
  for (int i = can_make ? 2 : 1; i < argc; ++i) {
    const std::string word(argv[i]);
    attempts.must_fail(::open(word.substr(word.find('=') + 1).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC),
                       word);
  }
  return attempts.finish();
}
