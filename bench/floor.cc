// The floor: what the kernel alone takes to start a container and see it end. All seven namespaces with a map
// of 65,536 IDs, an overlay of idmapped layers put together from detached mounts, /proc, /sys, /dev with its
// nodes, pts, shm and mqueue, masked paths, pivot_root, capabilities, exec and wait; no image, ledger,
// monitor, init, seccomp or log.
//
//   floor --layer DIRECTORY --state DIRECTORY [--runs N]
//
// DIRECTORY is an unpacked layer that has /bin/true; --state is an empty directory of the same file system.
// The times of all runs, in milliseconds, go to stdout as JSON.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr unsigned kBase = 0x60000000;  // the first host ID of the bank
constexpr int kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;

[[noreturn]] void die(const char* doing) {
  std::fprintf(stderr, "floor: %s: %s\n", doing, std::strerror(errno));
  std::_Exit(1);
}
int check(long result, const char* doing) {
  if (result < 0) die(doing);
  return static_cast<int>(result);
}

struct Options {
  std::string layer;
  std::string state;
  int runs = 30;
};

// ---- the host's side

void write_file(const std::string& path, const std::string& text) {
  const int fd = check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path.c_str());
  check(::write(fd, text.data(), text.size()), path.c_str());
  ::close(fd);
}

int clone_mapped(const char* path, int user_namespace) {
  const int mount = check(::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), path);
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<__u64>(user_namespace);
  check(::mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof attr), "map the IDs of a layer");
  return mount;
}

void set_string(int context, const char* key, const char* value) {
  check(::fsconfig(context, FSCONFIG_SET_STRING, key, value, 0), key);
}

int mount_overlay(const Options& options, int user_namespace) {
  const int layer = clone_mapped(options.layer.c_str(), user_namespace);
  const int own = clone_mapped(options.state.c_str(), user_namespace);
  const int upper = check(::openat(own, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC), "open upper");
  const int work = check(::openat(own, "work", O_PATH | O_DIRECTORY | O_CLOEXEC), "open work");
  const int context = check(::fsopen("overlay", FSOPEN_CLOEXEC), "fsopen overlay");
  check(::fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", nullptr, layer), "lowerdir+");
  check(::fsconfig(context, FSCONFIG_SET_FD, "upperdir", nullptr, upper), "upperdir");
  check(::fsconfig(context, FSCONFIG_SET_FD, "workdir", nullptr, work), "workdir");
  set_string(context, "metacopy", "on");
  // overlayfs makes work/work as whoever mounts it, who must be somebody that the map knows.
  ::setfsgid(kBase);
  ::setfsuid(kBase);
  check(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), "create the overlay");
  ::setfsuid(0);
  ::setfsgid(0);
  const int mount = check(::fsmount(context, FSMOUNT_CLOEXEC, 0), "fsmount overlay");
  for (const int fd : {layer, own, upper, work, context}) ::close(fd);
  return mount;
}

struct Node {
  const char* name;
  unsigned minor;
};

// A user namespace can't make device nodes, so the host's side does, for the container's IDs.
int mount_dev() {
  const int context = check(::fsopen("tmpfs", FSOPEN_CLOEXEC), "fsopen tmpfs");
  set_string(context, "mode", "755");
  check(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), "create the tmpfs");
  const int dev = check(::fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID), "fsmount tmpfs");
  ::close(context);
  check(::fchownat(dev, "", kBase, kBase, AT_EMPTY_PATH), "chown /dev");
  for (const Node& node :
       {Node{"null", 3}, Node{"zero", 5}, Node{"full", 7}, Node{"random", 8}, Node{"urandom", 9}}) {
    check(::mknodat(dev, node.name, S_IFCHR | 0666, makedev(1, node.minor)), node.name);
    check(::fchownat(dev, node.name, kBase, kBase, AT_SYMLINK_NOFOLLOW), node.name);
  }
  check(::mknodat(dev, "tty", S_IFCHR | 0666, makedev(5, 0)), "tty");
  check(::fchownat(dev, "tty", kBase, kBase, AT_SYMLINK_NOFOLLOW), "tty");
  for (const char* name : {"pts", "shm", "mqueue"}) check(::mkdirat(dev, name, 0755), name);
  check(::symlinkat("/proc/self/fd", dev, "fd"), "fd");
  check(::symlinkat("fd/0", dev, "stdin"), "stdin");
  check(::symlinkat("fd/1", dev, "stdout"), "stdout");
  check(::symlinkat("fd/2", dev, "stderr"), "stderr");
  check(::symlinkat("pts/ptmx", dev, "ptmx"), "ptmx");
  return dev;
}

// ---- between the two

constexpr size_t kMounts = 2;  // the root, /dev
union Control {
  std::array<char, CMSG_SPACE(sizeof(int) * kMounts)> bytes;
  cmsghdr align;
};

msghdr message(iovec* byte, Control* control) {
  msghdr header{};
  header.msg_iov = byte;
  header.msg_iovlen = 1;
  header.msg_control = control->bytes.data();
  header.msg_controllen = control->bytes.size();
  return header;
}

void send_mounts(int socket, const std::array<int, kMounts>& mounts) {
  char byte = 0;
  iovec vector{&byte, 1};
  Control control{};
  msghdr header = message(&vector, &control);
  cmsghdr* part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof mounts);
  std::memcpy(CMSG_DATA(part), mounts.data(), sizeof mounts);
  check(::sendmsg(socket, &header, MSG_NOSIGNAL), "send the mounts");
}

std::array<int, kMounts> receive_mounts(int socket) {
  char byte = 0;
  iovec vector{&byte, 1};
  Control control{};
  msghdr header = message(&vector, &control);
  if (check(::recvmsg(socket, &header, MSG_CMSG_CLOEXEC), "receive the mounts") != 1) std::_Exit(1);
  std::array<int, kMounts> mounts{};
  std::memcpy(mounts.data(), CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof mounts);
  return mounts;
}

// ---- the container's side

void attach(int mount, const char* target) {
  check(::move_mount(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), target);
  ::close(mount);
}
void mount_type(const char* type, const char* target, unsigned long flags, const char* options) {
  check(::mount(type, target, type, flags, options), target);
}

void mount_pseudo_file_systems(int dev) {
  constexpr unsigned long kLocked = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  mount_type("proc", "proc", kLocked, nullptr);
  mount_type("sysfs", "sys", kLocked | MS_RDONLY, nullptr);
  attach(dev, "dev");
  mount_type("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_type("tmpfs", "dev/shm", kLocked, "mode=1777,size=64m");
  mount_type("mqueue", "dev/mqueue", kLocked, nullptr);
}

void enter_root(int root, const char* mount_point) {
  attach(root, mount_point);
  check(::chdir(mount_point), mount_point);
}

void mask_paths() {
  for (const char* path :
       {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats", "/proc/sched_debug"}) {
    if (::mount("/dev/null", path, nullptr, MS_BIND, nullptr) != 0 && errno != ENOENT) die(path);
  }
  for (const char* path : {"/proc/acpi", "/proc/scsi", "/proc/asound", "/sys/firmware"}) {
    if (::mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0,mode=755") != 0 && errno != ENOENT) die(path);
  }
  for (const char* path : {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}) {
    const int mount = ::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (mount < 0 && errno == ENOENT) continue;
    check(mount, path);
    mount_attr attr{};
    attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    check(::mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof attr), path);
    attach(mount, path);
  }
}

void drop_capabilities() {
  // chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, sys_chroot, setfcap
  constexpr uint64_t kKept = 0x800405fb;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kKept >> capability & 1) == 0) ::prctl(PR_CAPBSET_DROP, capability);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  sets[0].effective = sets[0].permitted = static_cast<uint32_t>(kKept);
  check(::syscall(SYS_capset, &header, sets.data()), "capset");
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

[[noreturn]] void contained(int socket, const Options& options) {
  const auto [root, dev] = receive_mounts(socket);
  check(::setresgid(0, 0, 0), "setresgid");
  check(::setgroups(0, nullptr), "setgroups");
  check(::setresuid(0, 0, 0), "setresuid");
  check(::sethostname("floor", 5), "sethostname");
  enter_root(root, options.state.c_str());
  mount_pseudo_file_systems(dev);
  check(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
  check(::umount2(".", MNT_DETACH), "leave the old root");
  check(::chdir("/"), "chdir /");
  mask_paths();
  drop_capabilities();
  const char* const argv[] = {"true", nullptr};
  const char* const envp[] = {"PATH=/bin", nullptr};
  ::execve("/bin/true", const_cast<char**>(argv), const_cast<char**>(envp));
  die("execute /bin/true");
}

void run_once(const Options& options) {
  std::array<int, 2> sockets{};
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()), "socketpair");
  const auto child =
      static_cast<pid_t>(check(::syscall(SYS_clone, kNamespaces | SIGCHLD, 0, 0, 0, 0), "clone"));
  if (child == 0) contained(sockets[1], options);
  const std::string proc = "/proc/" + std::to_string(child);
  const std::string map = "0 " + std::to_string(kBase) + " 65536\n";
  write_file(proc + "/uid_map", map);
  write_file(proc + "/gid_map", map);
  const int user_namespace = check(::open((proc + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC), "open ns/user");
  const int root = mount_overlay(options, user_namespace);
  const int dev = mount_dev();
  send_mounts(sockets[0], {root, dev});
  for (const int fd : {root, dev, user_namespace, sockets[0], sockets[1]}) ::close(fd);
  int status = 0;
  check(::waitpid(child, &status, 0), "wait");
  if (status != 0) {
    std::fprintf(stderr, "floor: the container ended with status %d\n", status);
    std::exit(1);
  }
}

// ---- the measurement

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--layer") options.layer = argv[i + 1];
    if (name == "--state") options.state = argv[i + 1];
    if (name == "--runs") options.runs = std::atoi(argv[i + 1]);
  }
  if (options.layer.empty() || options.state.empty() || options.runs < 1) {
    std::fputs("usage: floor --layer DIRECTORY --state DIRECTORY [--runs N]\n", stderr);
    std::exit(2);
  }
  return options;
}

void print(std::vector<double> times) {
  std::string list;
  double sum = 0;
  for (const double time : times) {
    list += (list.empty() ? "" : ", ") + std::to_string(time);
    sum += time;
  }
  std::sort(times.begin(), times.end());
  const size_t count = times.size();
  const double median = (times[count / 2] + times[(count - 1) / 2]) / 2;
  std::printf("{\"runs\": %zu, \"median_ms\": %.3f, \"min_ms\": %.3f, \"mean_ms\": %.3f, \"ms\": [%s]}\n",
              count, median, times.front(), sum / static_cast<double>(count), list.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  ::umask(0);
  for (const char* name : {"/upper", "/work"}) {
    const std::string path = options.state + name;
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) die(path.c_str());
  }
  // With this, changing the file system user keeps the capabilities.
  check(::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), "securebits");
  std::vector<double> times;
  for (int i = 0; i < options.runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run_once(options);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    times.push_back(took.count());
  }
  print(times);
  return 0;
}
