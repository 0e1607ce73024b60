// Lies in wait, as root of a container, for processes that enter it, and tries to get at what they bring
// along from the host: their program, memory, root, working directory and descriptors.
//
// Usage: enterers FILE. Ends when FILE is there.
#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"

namespace {

constexpr int kAllSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (!name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      names.push_back(name);
  }
  ::closedir(open);
  return names;
}

// Of the container's own root file system, or a program of berth's that nobody can change.
bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// What stands at the path can change between two looks at it: the process executes something else, or ends.
// What is said is of what was opened.
bool is_harmless_file(const std::string& path) {
  struct stat own{};
  struct stat found{};
  if (::stat("/", &own) != 0 || ::stat(path.c_str(), &found) != 0) return true;
  if (found.st_dev == own.st_dev) return true;
  struct statvfs mount{};
  if (::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0) return true;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat opened{};
  if (fd < 0) return ::stat(path.c_str(), &opened) != 0 || !is_same(opened, found);
  const bool sealed = ::fcntl(fd, F_GET_SEALS) == kAllSeals;
  const bool is_own = ::fstat(fd, &opened) == 0 && opened.st_dev == own.st_dev;
  ::close(fd);
  return sealed || is_own;
}

bool is_root(const std::string& path) {
  struct stat own{};
  struct stat found{};
  if (::stat("/", &own) != 0 || ::stat(path.c_str(), &found) != 0) return true;
  return found.st_dev == own.st_dev && found.st_ino == own.st_ino;
}

std::string target_of(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  target.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return target;
}

std::string name_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

// Of a line of its status, in hexadecimal.
unsigned long long capabilities_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/status");
  const std::string wanted = "CapPrm:\t";
  for (std::string line; std::getline(file, line);) {
    constexpr int kHexadecimal = 16;
    if (line.starts_with(wanted)) return std::strtoull(line.c_str() + wanted.size(), nullptr, kHexadecimal);
  }
  return 0;
}

class Lurker {
 public:
  void look_at(const std::string& pid) {
    const std::string process = "/proc/" + pid;
    const std::string name = name_of(pid);
    // Stopped, where that can be done, it can't execute between two looks.
    const auto number = static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10));
    const bool traced = ::ptrace(PTRACE_SEIZE, number, nullptr, nullptr) == 0;
    if (traced) {
      ::ptrace(PTRACE_INTERRUPT, number, nullptr, nullptr);
      int status = 0;
      ::waitpid(number, &status, __WALL);
    }
    const std::string executes = target_of(process + "/exe");
    const bool opened = !executes.empty();
    if (name.starts_with("berth-") && !opened) ++held_;
    // Who traces it can make it do what it may.
    if (traced) {
      ++traced_;
      if ((capabilities_of(pid) & ~own_capabilities_) != 0) broken(name + " gave its capabilities");
    }
    const std::string who = name + ", which executes " + executes + ",";
    if (opened && !is_harmless_file(process + "/exe")) broken(who + " gave its program");
    if (opened && !is_root(process + "/root")) broken(who + " gave another root");
    for (const std::string& number_of_fd : names_in(process + "/fd"))
      look_at_descriptor(process, number_of_fd, who);
    if (traced) ::ptrace(PTRACE_DETACH, number, nullptr, nullptr);
  }

  [[nodiscard]] long held() const { return held_; }
  [[nodiscard]] long traced() const { return traced_; }
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  void look_at_descriptor(const std::string& process, const std::string& number, const std::string& who) {
    const std::string path = process + "/fd/" + number;
    const std::string target = target_of(path);
    struct stat found{};
    if (target.empty() || ::stat(path.c_str(), &found) != 0) return;
    const bool is_file = S_ISREG(found.st_mode) || S_ISDIR(found.st_mode);
    if (is_file && !is_harmless_file(path)) broken(who + " gave descriptor " + number + ", " + target);
    if (S_ISSOCK(found.st_mode)) broken(who + " gave descriptor " + number + ", a socket");
  }

  void broken(const std::string& what) {
    broken_ = true;
    std::printf("BROKEN %s\n", what.c_str());
    std::fflush(stdout);
  }

  const unsigned long long own_capabilities_ = capabilities_of("self");
  long held_ = 0;
  long traced_ = 0;
  bool broken_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Lurker lurker;
  const std::string own = std::to_string(::getpid());
  std::puts("waiting");
  std::fflush(stdout);
  while (::access(argv[1], F_OK) != 0) {
    for (const std::string& pid : names_in("/proc")) {
      if (pid != own && pid != "1") lurker.look_at(pid);
    }
  }
  std::printf("held %ld times, traced %ld\n", lurker.held(), lurker.traced());
  if (lurker.held() + lurker.traced() == 0) return 3;
  return lurker.is_broken() ? 1 : 0;
}
