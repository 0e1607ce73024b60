// The processes of a cgroup: in, who, signals, end.
#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fcntl.h>
#include <signal.h>

#include "cgroup/cgroup.h"
#include "cgroup/control_file.h"
#include "cgroup/patience.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::cgroup {

namespace {

// Why a process could not be moved in (cgroups(7), cpusets.rst, cgroup-v2.rst).
std::string moving_hint(int err, const Cgroup::Part& part) {
  switch (err) {
    case EBUSY:
      return fmt::format("{} gives controllers to cgroups below it, so it can hold no process itself.",
                         part.shown());
    case EOPNOTSUPP:
      return fmt::format("{} is beside or below threaded cgroups, and so can hold no process (cgroup.type).",
                         part.shown());
    case EINVAL:
      return part.hierarchy.has("cpu")
                 ? "A process with real-time scheduling needs cpu.rt_runtime_us in its cgroup."
                 : "";
    case ENOSPC:
      return "The cgroup's cpuset has no processors or no memory nodes.";
    case EACCES:
    case EPERM:
      return "Both the cgroup that the process is in and this one have to be delegated to this user.";
    default:
      return "";
  }
}

Result<> processes_of(const Cgroup::Part& part, std::vector<pid_t>& found) {
  if (!TRY(has_children(part.fd.get()))) return read_processes(part.fd.get(), found);
  return for_each_cgroup(part.fd.get(), [&found](int parent, const std::string& name) -> Result<> {
    const sys::UniqueFd dir = TRY(open_below(parent, name));
    return read_processes(dir.get(), found);
  });
}

void sort_once(std::vector<pid_t>& pids) {
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
}

struct Target {
  pid_t pid;
  sys::UniqueFd handle;
};

// A number may go to a process elsewhere between the reading and the signal. So each is opened first and
// looked for again: if it is still listed, what was opened is the listed one or has ended.
Result<> signal_some(const Cgroup& cgroup, const std::vector<pid_t>& pids, int signal) {
  std::vector<Target> targets;
  for (const pid_t pid : pids) {
    Result<sys::UniqueFd> handle = sys::open_process(pid);
    if (!handle && (handle.error().err == ESRCH || handle.error().err == EINVAL)) continue;
    // Before Linux 5.3 there is the number alone, and only the second look.
    if (!handle && handle.error().err == ENOSYS) handle = sys::UniqueFd();
    targets.push_back({pid, TRY(std::move(handle))});
  }
  const std::vector<pid_t> still = TRY(cgroup.processes());
  for (const Target& target : targets) {
    if (!std::binary_search(still.begin(), still.end(), target.pid)) continue;
    if (target.handle) {
      TRY(sys::send_signal(target.handle.get(), signal));
    } else if (::kill(target.pid, signal) != 0 && errno != ESRCH) {
      return fail_errno(errno, "send signal {} to process {}", signal, target.pid);
    }
  }
  return {};
}

// v1's freezer holds back even SIGKILL.
void thaw_v1(const Cgroup& cgroup) {
  for (const Cgroup::Part& part : cgroup.parts()) {
    if (part.hierarchy.has("freezer")) {
      [[maybe_unused]] const auto thawed = sys::write_control_file(part.fd.get(), "freezer.state", "THAWED");
    }
  }
}

}  // namespace

Result<> Cgroup::add(pid_t pid, bool in_v2_already) const {
  const std::string text = std::to_string(pid);
  for (const Part& part : parts_) {
    if (part.v2() && in_v2_already) continue;
    const Result<> moved = sys::write_control_file(part.fd.get(), "cgroup.procs", text);
    if (moved) continue;
    Error error = moved.error();
    error.message = fmt::format("move process {} into the cgroup {}: {}", pid, part.shown(), error.message);
    error.hint = moving_hint(error.err, part);
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<std::vector<sys::UniqueFd>> Cgroup::entrances(bool in_v2_already) const {
  std::vector<sys::UniqueFd> files;
  for (const Part& part : parts_) {
    if (part.v2() && in_v2_already) continue;
    // v1's "tasks" moves a thread, which of a process of one thread is all of it; v2 would take that for
    // threaded cgroups only.
    files.push_back(TRY_CONTEXT(sys::open_at(part.fd.get(), part.v2() ? "cgroup.procs" : "tasks", O_WRONLY),
                                "prepare the way into the cgroup {}", part.shown()));
  }
  return files;
}

Result<> enter(std::span<const sys::UniqueFd> entrances) {
  for (const sys::UniqueFd& file : entrances)
    TRY_CONTEXT(sys::write_all(file.get(), "0"), "enter the container's cgroup");
  return {};
}

Result<std::vector<pid_t>> Cgroup::processes() const {
  std::vector<pid_t> found;
  for (const Part& part : parts_) {
    const Result<> read = processes_of(part, found);
    const bool gone = !read && (read.error().err == ENODEV || read.error().err == ENOENT);
    if (!read && !gone) {
      Error error = read.error();
      return std::unexpected(std::move(error).context(fmt::format("list the processes of {}", part.shown())));
    }
  }
  sort_once(found);
  return found;
}

Result<> Cgroup::signal_all(int signal) const {
  constexpr ptrdiff_t kBatch = 256;  // descriptors that are open at the same time
  const std::vector<pid_t> all = TRY(processes());
  for (auto from = all.begin(); from != all.end();) {
    const auto to = std::next(from, std::min(kBatch, std::distance(from, all.end())));
    TRY(signal_some(*this, {from, to}, signal));
    from = to;
  }
  return {};
}

Result<> Cgroup::kill_all(Wait whole) const {
  Patience patience(whole);
  bool killed = false;
  if (v2() != nullptr) {
    // Linux 5.14; whoever forks meanwhile is killed too.
    killed = sys::write_control_file(v2()->fd.get(), "cgroup.kill", "1").has_value();
    thaw_v1(*this);
  }
  for (bool first = true;; first = false) {
    const std::vector<pid_t> left = TRY(processes());
    if (left.empty()) return {};
    // What cgroup.kill reached needs a moment to go. Others are in v1 hierarchies only.
    if (!killed || !first) {
      // Frozen, they can't fork away from the signals; if it does not come about, the loop does it too.
      constexpr Wait kShort{200};
      const Result<> still = killed ? Result<>() : freeze(std::min(kShort, patience.left()));
      const Result<> sent = signal_all(SIGKILL);
      if (!killed && still) TRY(thaw(patience.left()));
      thaw_v1(*this);
      if (!sent) return sent;
    }
    if (!patience.sleep()) {
      return fail_errno(EBUSY, "end the processes of {}: {} left after {} ms, the first is {}",
                        parts_.front().shown(), left.size(), whole.count(), left.front());
    }
  }
}

}  // namespace berth::cgroup
