// What a process in a container sees, as one JSON object on the standard output. It asks the kernel by system
// calls where there is one, so that it works without /proc too; what only /proc knows is left out then.
//
//   probe [--device PATH | --sysctl NAME | --file PATH | --stat PATH | --write PATH | --call
//   NAME,NUMBER...]...
//         [--exit STATUS]
//
// --device tells type, numbers, mode, owner and whether it can be opened, --sysctl and --file a file's text,
// --stat whom a file belongs to, --write whether a file can be opened for writing or made, --call how a
// system call ends.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it in no header

namespace {

// -- JSON, just enough of it

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <std::integral Number>
std::string number(Number value) {
  return std::to_string(value);
}

class Object {
 public:
  void add(std::string_view name, const std::string& json) {
    body_ += (body_.empty() ? "" : ", ") + json_text(name) + ": " + json;
  }
  void text(std::string_view name, std::string_view value) { add(name, json_text(value)); }
  [[nodiscard]] std::string json() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

class Array {
 public:
  void add(const std::string& json) { body_ += (body_.empty() ? "" : ", ") + json; }
  [[nodiscard]] std::string json() const { return "[" + body_ + "]"; }

 private:
  std::string body_;
};

// -- looking

std::optional<std::string> contents(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<size_t>(got));
  const int error = errno;
  close(fd);
  errno = error;
  if (got < 0) return std::nullopt;
  return text;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// A file's text, or null.
std::string file_json(const std::string& path) {
  const auto text = contents(path);
  return text ? json_text(trimmed(*text)) : "null";
}

std::string lines_json(const std::string& path) {
  Array lines;
  std::string text = contents(path).value_or("");
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    lines.add(json_text(std::string_view(text).substr(begin, end - begin)));
  }
  return lines.json();
}

std::string ids_json() {
  uid_t ruid = 0;
  uid_t euid = 0;
  uid_t suid = 0;
  gid_t rgid = 0;
  gid_t egid = 0;
  gid_t sgid = 0;
  getresuid(&ruid, &euid, &suid);
  getresgid(&rgid, &egid, &sgid);
  Object ids;
  ids.add("uid", "[" + number(ruid) + ", " + number(euid) + ", " + number(suid) + "]");
  ids.add("gid", "[" + number(rgid) + ", " + number(egid) + ", " + number(sgid) + "]");
  std::vector<gid_t> groups(65536);
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  Array list;
  for (int i = 0; i < count; ++i) list.add(number(groups[static_cast<size_t>(i)]));
  ids.add("groups", list.json());
  return ids.json();
}

// Each set as a number whose bits are the capabilities.
std::string capabilities_json() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  syscall(SYS_capget, &header, data.data());
  const auto joined = [](uint32_t low, uint32_t high) { return (static_cast<uint64_t>(high) << 32U) | low; };
  uint64_t bounding = 0;
  uint64_t ambient = 0;
  for (unsigned long cap = 0; cap < 64; ++cap) {
    if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) bounding |= uint64_t{1} << cap;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) ambient |= uint64_t{1} << cap;
  }
  Object sets;
  sets.add("bounding", number(bounding));
  sets.add("effective", number(joined(data[0].effective, data[1].effective)));
  sets.add("permitted", number(joined(data[0].permitted, data[1].permitted)));
  sets.add("inheritable", number(joined(data[0].inheritable, data[1].inheritable)));
  sets.add("ambient", number(ambient));
  return sets.json();
}

std::string limits_json() {
  constexpr std::array<std::pair<const char*, int>, 16> kinds{{{"CPU", RLIMIT_CPU},
                                                               {"FSIZE", RLIMIT_FSIZE},
                                                               {"DATA", RLIMIT_DATA},
                                                               {"STACK", RLIMIT_STACK},
                                                               {"CORE", RLIMIT_CORE},
                                                               {"RSS", RLIMIT_RSS},
                                                               {"NPROC", RLIMIT_NPROC},
                                                               {"NOFILE", RLIMIT_NOFILE},
                                                               {"MEMLOCK", RLIMIT_MEMLOCK},
                                                               {"AS", RLIMIT_AS},
                                                               {"LOCKS", RLIMIT_LOCKS},
                                                               {"SIGPENDING", RLIMIT_SIGPENDING},
                                                               {"MSGQUEUE", RLIMIT_MSGQUEUE},
                                                               {"NICE", RLIMIT_NICE},
                                                               {"RTPRIO", RLIMIT_RTPRIO},
                                                               {"RTTIME", RLIMIT_RTTIME}}};
  Object limits;
  for (const auto& [name, kind] : kinds) {
    rlimit limit{};
    if (syscall(SYS_prlimit64, 0, kind, nullptr, &limit) != 0) continue;
    limits.add("RLIMIT_" + std::string(name),
               "[" + number(limit.rlim_cur) + ", " + number(limit.rlim_max) + "]");
  }
  return limits.json();
}

std::string type_name(mode_t mode) {
  if (S_ISCHR(mode)) return "c";
  if (S_ISBLK(mode)) return "b";
  if (S_ISFIFO(mode)) return "p";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISLNK(mode)) return "link";
  return S_ISREG(mode) ? "file" : "other";
}

std::string open_result(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
  if (fd < 0) return json_text(strerrorname_np(errno));
  close(fd);
  return json_text("ok");
}

std::string stat_json(const std::string& path, bool open_it) {
  struct stat st{};
  if (stat(path.c_str(), &st) != 0) return "null";
  Object one;
  one.text("type", type_name(st.st_mode));
  one.add("mode", number(st.st_mode & 07777U));
  one.add("uid", number(st.st_uid));
  one.add("gid", number(st.st_gid));
  one.add("major", number(major(st.st_rdev)));
  one.add("minor", number(minor(st.st_rdev)));
  one.add("device", json_text(number(major(st.st_dev)) + ":" + number(minor(st.st_dev))));
  if (open_it) {
    one.add("read", open_result(path, O_RDONLY));
    one.add("write", open_result(path, O_WRONLY));
  }
  return one.json();
}

std::string link_target(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  return length < 0 ? "" : std::string(target.data(), static_cast<size_t>(length));
}

// Those that this process was given: looked for by number, so that none is opened for looking.
std::string descriptors_json() {
  Object open_ones;
  for (int fd = 0; fd < 1024; ++fd) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;
    open_ones.text(number(fd), link_target("/proc/self/fd/" + number(fd)));
  }
  return open_ones.json();
}

std::string namespaces_json() {
  Object found;
  for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    struct stat st{};
    if (stat(("/proc/self/ns/" + std::string(name)).c_str(), &st) == 0) found.add(name, number(st.st_ino));
  }
  return found.json();
}

struct SchedulerAttributes {  // struct sched_attr, which glibc 2.36 has not
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

std::string scheduling_json() {
  Object found;
  SchedulerAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0) {
    found.add("policy", number(attributes.policy));
    found.add("flags", number(attributes.flags));
    found.add("nice", number(attributes.nice));
    found.add("priority", number(attributes.priority));
    found.add("runtime", number(attributes.runtime));
    found.add("deadline", number(attributes.deadline));
    found.add("period", number(attributes.period));
  }
  constexpr int kThisProcess = 1;  // IOPRIO_WHO_PROCESS
  constexpr long kClassShift = 13;
  const long io = syscall(SYS_ioprio_get, kThisProcess, 0);
  found.add("io_class", number(io >> kClassShift));
  found.add("io_priority", number(io & ((1L << kClassShift) - 1)));
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  Array affinity;
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) {
    for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &cpus)) affinity.add(number(cpu));
    }
  }
  found.add("affinity", affinity.json());
  return found.json();
}

std::string system_json() {
  utsname names{};
  uname(&names);
  Object found;
  found.text("hostname", names.nodename);
  found.text("domainname", names.domainname);
  found.text("machine", names.machine);
  return found.json();
}

std::string terminal_json() {
  Object found;
  Array which;
  for (int fd = 0; fd < 3; ++fd) which.add(isatty(fd) == 1 ? "true" : "false");
  found.add("standard_streams", which.json());
  winsize size{};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
    found.add("rows", number(size.ws_row));
    found.add("columns", number(size.ws_col));
  }
  const int controlling = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  found.add("controlling", controlling >= 0 ? "true" : "false");
  if (controlling >= 0) close(controlling);
  found.text("name", link_target("/proc/self/fd/0"));
  return found.json();
}

std::string keyring_json() {
  std::array<char, 256> description{};
  const long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description.data(),
                              description.size() - 1);
  return length < 0 ? "null" : json_text(description.data());
}

std::string clocks_json() {
  Object found;
  for (const auto& [name, clock] :
       {std::pair{"monotonic", CLOCK_MONOTONIC}, std::pair{"boottime", CLOCK_BOOTTIME}}) {
    timespec now{};
    clock_gettime(clock, &now);
    found.add(name, number(now.tv_sec) + "." + std::to_string(1'000'000'000 + now.tv_nsec).substr(1));
  }
  found.add("offsets", lines_json("/proc/self/timens_offsets"));
  return found.json();
}

std::string words_json(char** words) {
  Array list;
  for (; *words != nullptr; ++words) list.add(json_text(*words));
  return list.json();
}

// A system call that changes nothing, by name, with up to three numbers.
std::string call_result(std::string_view words) {
  constexpr std::array<std::pair<std::string_view, long>, 4> known{
      {{"sched_get_priority_max", SYS_sched_get_priority_max},
       {"getcwd", SYS_getcwd},
       {"lseek", SYS_lseek},
       {"getpgid", SYS_getpgid}}};
  const std::string_view name = words.substr(0, words.find(','));
  const auto* const found = std::ranges::find(known, name, &std::pair<std::string_view, long>::first);
  if (found == known.end()) return json_text("unknown");
  std::array<uint64_t, 3> arguments{};
  words.remove_prefix(name.size());
  for (size_t i = 0; i < arguments.size() && words.starts_with(','); ++i) {
    words.remove_prefix(1);
    const auto parsed = std::from_chars(words.data(), words.data() + words.size(), arguments.at(i));
    words.remove_prefix(static_cast<size_t>(parsed.ptr - words.data()));
  }
  const long result = syscall(found->second, arguments[0], arguments[1], arguments[2]);
  if (result >= 0) return json_text("ok");
  const char* const error = strerrorname_np(errno);
  return json_text(error == nullptr ? number(errno) : error);
}

// -- the report

struct Questions {
  Object devices;
  Object files;
  Object stats;
  Object writes;
  Object calls;
  int status = 0;
};

bool ask(Questions& questions, std::string_view flag, const std::string& value) {
  if (flag == "--device") {
    questions.devices.add(value, stat_json(value, true));
  } else if (flag == "--file") {
    questions.files.add(value, file_json(value));
  } else if (flag == "--sysctl") {
    std::string path = value;
    std::ranges::replace(path, '.', '/');
    questions.files.add(value, file_json("/proc/sys/" + path));
  } else if (flag == "--stat") {
    questions.stats.add(value, stat_json(value, false));
  } else if (flag == "--write") {
    questions.writes.add(value, open_result(value, O_WRONLY | O_CREAT));
  } else if (flag == "--call") {
    questions.calls.add(value, call_result(value));
  } else if (flag == "--exit") {
    std::from_chars(value.data(), value.data() + value.size(), questions.status);
  } else {
    return false;
  }
  return true;
}

void add_process(Object& report, char** argv) {
  report.add("args", words_json(argv));
  report.add("env", words_json(environ));
  std::array<char, 4096> directory{};
  report.text("cwd", getcwd(directory.data(), directory.size()) == nullptr ? "" : directory.data());
  report.add("pid", number(getpid()));
  report.add("parent", number(getppid()));
  report.add("session", number(getsid(0)));
  const mode_t mask = umask(0);
  umask(mask);
  report.add("umask", number(mask));
  report.add("no_new_privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "true" : "false");
  report.add("personality", number(personality(0xFFFFFFFF)));
  report.add("ids", ids_json());
  report.add("capabilities", capabilities_json());
  report.add("limits", limits_json());
  report.add("scheduling", scheduling_json());
}

}  // namespace

int main(int argc, char** argv) {
  Object report;
  report.add("fds", descriptors_json());  // first, before anything else is opened
  Questions questions;
  // Nothing to ask where the words are no question: they are then what a test of process.args looks at.
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!ask(questions, argv[i], argv[i + 1])) break;
  }
  add_process(report, argv);
  report.add("status", lines_json("/proc/self/status"));
  report.add("oom_score_adj", file_json("/proc/self/oom_score_adj"));
  report.add("mountinfo", lines_json("/proc/self/mountinfo"));
  report.add("cgroup", lines_json("/proc/self/cgroup"));
  report.add("namespaces", namespaces_json());
  report.add("system", system_json());
  report.add("terminal", terminal_json());
  report.add("keyring", keyring_json());
  report.add("clocks", clocks_json());
  report.add("uid_map", lines_json("/proc/self/uid_map"));
  report.add("gid_map", lines_json("/proc/self/gid_map"));
  report.add("devices", questions.devices.json());
  report.add("files", questions.files.json());
  report.add("stats", questions.stats.json());
  report.add("writes", questions.writes.json());
  report.add("calls", questions.calls.json());
  std::printf("%s\n", report.json().c_str());
  return questions.status;
}
