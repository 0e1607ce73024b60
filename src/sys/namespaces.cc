#include "sys/namespaces.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/clone.h"
#include "sys/file.h"
#include "sys/pipe.h"

namespace berth::sys {

namespace {

struct Name {
  int type;
  const char* name;
};
constexpr std::array<Name, 8> kNames{{{CLONE_NEWUSER, "user"},
                                      {CLONE_NEWNS, "mnt"},
                                      {CLONE_NEWPID, "pid"},
                                      {CLONE_NEWNET, "net"},
                                      {CLONE_NEWIPC, "ipc"},
                                      {CLONE_NEWUTS, "uts"},
                                      {CLONE_NEWCGROUP, "cgroup"},
                                      {CLONE_NEWTIME, "time"}}};

// What the process between says: a child, or what could not be joined.
struct Report {
  int32_t pid = 0;
  int32_t err = 0;
  int32_t type = 0;             // of the namespace; 0: making the child
  bool outside_cgroup = false;  // the child is not yet where it is to be
};

// All but the user namespace that may be joined now; those that may not are left in `left`.
Report join_all(std::span<const JoinedNamespace> joined, int without,
                std::vector<const JoinedNamespace*>& left) {
  for (const JoinedNamespace& space : joined) {
    if (space.type == CLONE_NEWUSER || space.type == without) continue;
    if (::setns(space.fd.get(), space.type) == 0) continue;
    if (errno != EPERM) return {.err = errno, .type = space.type};
    left.push_back(&space);
  }
  return {};
}

// `without`: a type that is left out, or 0.
Report join(std::span<const JoinedNamespace> joined, int without = 0) {
  std::vector<const JoinedNamespace*> left;
  if (const Report report = join_all(joined, without, left); report.err != 0) return report;
  for (const JoinedNamespace& space : joined) {
    if (space.type == CLONE_NEWUSER && ::setns(space.fd.get(), CLONE_NEWUSER) != 0)
      return {.err = errno, .type = CLONE_NEWUSER};
  }
  for (const JoinedNamespace* space : left) {
    if (::setns(space->fd.get(), space->type) != 0) return {.err = errno, .type = space->type};
  }
  return {};
}

// Only children are put into a new time namespace, and its clocks can be set until there is one.
Report make_time_namespace(const std::string& offsets) {
  if (::unshare(CLONE_NEWTIME) != 0) return {.err = errno, .type = CLONE_NEWTIME};
  if (offsets.empty()) return {};
  const Result<> written = write_control_file(AT_FDCWD, "/proc/self/timens_offsets", offsets);
  return written ? Report{} : Report{.err = written.error().err, .type = CLONE_NEWTIME};
}

const char* joins_or_makes(int type, bool own_time) {
  return own_time && type == CLONE_NEWTIME ? "make" : "join";
}

}  // namespace

const char* namespace_name(int type) {
  for (const Name& name : kNames) {
    if (name.type == type) return name.name;
  }
  return "unknown";
}

bool is_among(std::span<const JoinedNamespace> joined, int type) {
  return std::any_of(joined.begin(), joined.end(),
                     [&](const JoinedNamespace& space) { return space.type == type; });
}

Result<UniqueFd> open_namespace(const std::string& path, int type) {
  UniqueFd file = TRY(open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK));
  struct statfs found{};
  if (::fstatfs(file.get(), &found) != 0) return fail_errno(errno, "look at {}", path);
  if (found.f_type != NSFS_MAGIC || ::ioctl(file.get(), NS_GET_NSTYPE) != type)
    return fail(Code::usage, "{} is no {} namespace", path, namespace_name(type));
  return file;
}

Result<bool> is_own_namespace(int fd, int type) {
  const struct stat it = TRY(stat_at(fd, "", AT_EMPTY_PATH));
  const struct stat own = TRY(stat_at(AT_FDCWD, fmt::format("/proc/self/ns/{}", namespace_name(type)), 0));
  return it.st_dev == own.st_dev && it.st_ino == own.st_ino;
}

Result<std::vector<JoinedNamespace>> namespaces_apart(pid_t pid, uint64_t types) {
  std::vector<JoinedNamespace> apart;
  for (const Name& name : kNames) {
    if ((types & static_cast<uint64_t>(name.type)) == 0) continue;
    const std::string path = fmt::format("/proc/{}/ns/{}", pid, name.name);
    Result<UniqueFd> fd = open_namespace(path, name.type);
    if (!fd && fd.error().err == ENOENT && exists_at(AT_FDCWD, fmt::format("/proc/{}", pid)))
      continue;  // a kernel without this type
    if (!fd) return std::unexpected(fd.error());
    if (!TRY(is_own_namespace(fd->get(), name.type))) apart.push_back({name.type, std::move(*fd)});
  }
  return apart;
}

Result<Child> fork_into_joined(uint64_t namespaces, std::span<const JoinedNamespace> joined,
                               const std::string& time_offsets, int cgroup) {
  const bool own_time = (namespaces & CLONE_NEWTIME) != 0;
  if (joined.empty() && !own_time) return fork_into(namespaces, cgroup);
  auto [reports, says] = TRY(make_pipe());
  const Child between = TRY(fork_into(0));
  if (between.pid == 0) {
    // Whoever is root in there could otherwise trace this process, which has the caller's memory.
    ::prctl(PR_SET_DUMPABLE, 0);
    Report report = own_time ? make_time_namespace(time_offsets) : Report{};
    if (report.err == 0) report = join(joined);
    if (report.err == 0) {
      // CLONE_PARENT takes over the exit signal, too.
      const Cloned sibling =
          clone_process({.flags = (namespaces & ~uint64_t{CLONE_NEWTIME}) | CLONE_PARENT, .cgroup = cgroup});
      if (sibling.pid == 0) return Child{};
      report = {.pid = static_cast<int32_t>(sibling.pid),
                .err = sibling.pid < 0 ? errno : 0,
                .outside_cgroup = !sibling.in_cgroup};
    }
    [[maybe_unused]] const ssize_t n = ::write(says.get(), &report, sizeof report);
    ::_exit(0);
  }
  says.reset();
  // The child has the pipe's other end too, so not until its end.
  Report report;
  const ssize_t length = ::read(reports.get(), &report, sizeof report);
  TRY(wait_for(between.pidfd.get()));
  if (length != sizeof report) return fail("the process that was to join the namespaces was killed");
  if (report.err != 0 && report.type != 0)
    return fail_errno(report.err, "{} the {} namespace", joins_or_makes(report.type, own_time),
                      namespace_name(report.type));
  if (report.err != 0) return fail_errno(report.err, "create a process");
  return complete_child({report.pid, {}}, cgroup, !report.outside_cgroup);
}

Result<> join_namespaces(std::span<const JoinedNamespace> joined) {
  const Report report = join(joined, CLONE_NEWPID);
  if (report.err != 0) return fail_errno(report.err, "join the {} namespace", namespace_name(report.type));
  return {};
}

Result<Child> fork_into_pid_space(std::span<const JoinedNamespace> joined, int cgroup) {
  UniqueFd own;
  for (const JoinedNamespace& space : joined) {
    if (space.type != CLONE_NEWPID) continue;
    own = TRY(open_at(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY));
    if (::setns(space.fd.get(), CLONE_NEWPID) != 0) return fail_errno(errno, "join the pid namespace");
  }
  Result<Child> child = fork_into(0, cgroup);
  const bool is_child = child && child->pid == 0;
  // Or the caller's next child would be there too.
  if (own && !is_child && ::setns(own.get(), CLONE_NEWPID) != 0) ::abort();
  return child;
}

}  // namespace berth::sys
