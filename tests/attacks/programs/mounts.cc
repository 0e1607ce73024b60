// With CAP_SYS_ADMIN in the container, and again in a user namespace nested in it: makes read-only mounts
// writable, uncovers what is masked, takes submounts off, mounts a proc of its own.
//
// Usage: mounts [ro=PATH | cover=PATH]...
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"

namespace {

using attack::Attempts;

long set_attributes(const std::string& path, unsigned flags, uint64_t clear) {
  mount_attr attributes{};
  attributes.attr_clr = clear;
  return ::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), flags, &attributes, sizeof attributes);
}

void write_below(Attempts& attempts, const std::string& path, const std::string& how) {
  const std::string file = path + "/written-by-an-attack";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  attempts.must_fail(fd, how + ": write below " + path);
}

void make_writable(Attempts& attempts, const std::string& path, const std::string& who) {
  attempts.must_fail(::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr),
                     who + ": remount " + path);
  attempts.must_fail(::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT, nullptr),
                     who + ": remount the superblock of " + path);
  attempts.must_fail(set_attributes(path, 0, MOUNT_ATTR_RDONLY), who + ": mount_setattr " + path);
  attempts.must_fail(set_attributes(path, 0x8000 /* AT_RECURSIVE */, MOUNT_ATTR_RDONLY),
                     who + ": mount_setattr all below " + path);
  write_below(attempts, path, who);
  // A copy of the mount keeps its locks.
  ::mkdir("/tmp/copy", 0755);
  if (::mount(path.c_str(), "/tmp/copy", nullptr, MS_BIND, nullptr) == 0) {
    attempts.must_fail(::mount(nullptr, "/tmp/copy", nullptr, MS_REMOUNT | MS_BIND, nullptr),
                       who + ": remount a copy of " + path);
    write_below(attempts, "/tmp/copy", who);
    ::umount2("/tmp/copy", MNT_DETACH);
  }
}

void uncover(Attempts& attempts, const std::string& path, const std::string& who) {
  attempts.must_fail(::umount2(path.c_str(), MNT_DETACH), who + ": unmount " + path);
  attempts.must_fail(::umount2(path.c_str(), 0), who + ": unmount " + path + " at once");
  // A copy of the parent without its submounts would show what is under them.
  const std::string parent = path.substr(0, path.rfind('/'));
  ::mkdir("/tmp/parent", 0755);
  attempts.must_fail(::mount(parent.c_str(), "/tmp/parent", nullptr, MS_BIND, nullptr),
                     who + ": copy " + parent + " without what covers it");
  const int tree =
      static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, parent.c_str(), 1 /* OPEN_TREE_CLONE */));
  attempts.must_fail(tree, who + ": open_tree " + parent + " without what covers it");
  // Moving a locked mount away would uncover it as well.
  ::mkdir("/tmp/moved", 0755);
  attempts.must_fail(::mount(path.c_str(), "/tmp/moved", nullptr, MS_MOVE, nullptr), who + ": move " + path);
}

void mount_own_proc(Attempts& attempts, const std::string& who) {
  ::mkdir("/tmp/proc", 0755);
  attempts.must_fail(::mount("proc", "/tmp/proc", "proc", 0, nullptr), who + ": mount a proc without masks");
  ::mkdir("/tmp/sys", 0755);
  attempts.must_fail(::mount("sysfs", "/tmp/sys", "sysfs", 0, nullptr), who + ": mount a writable sysfs");
}

int attack_as(const std::string& who, const std::vector<std::string>& words) {
  Attempts attempts;
  for (const std::string& word : words) {
    const std::string value = word.substr(word.find('=') + 1);
    if (word.starts_with("ro=")) make_writable(attempts, value, who);
    if (word.starts_with("cover=")) uncover(attempts, value, who);
    if (word == "proc") mount_own_proc(attempts, who);
  }
  return attempts.finish();
}

void write_text(const char* path, const char* text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || ::write(fd, text, std::strlen(text)) < 0) std::perror(path);
  ::close(fd);
}

int attack_from_nested_namespace(const std::vector<std::string>& words) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      std::perror("unshare");
      ::_exit(2);
    }
    write_text("/proc/self/uid_map", "0 0 1");
    ::_exit(attack_as("nested", words));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr);
  const int nested = attack_from_nested_namespace(words);
  const int direct = attack_as("direct", words);
  return nested > direct ? nested : direct;
}
