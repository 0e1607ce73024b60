#include "runtime/process_tree.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <vector>

#include <fcntl.h>

#include "base/fields.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/process_stat.h"

namespace berth::runtime {

namespace {

Result<std::vector<sys::ProcessStat>> all_processes() {
  const sys::UniqueFd proc = TRY(sys::open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY));
  std::vector<sys::ProcessStat> found;
  for (const std::string& name : TRY(sys::list_dir(proc.get()))) {
    const auto pid = whole_number<pid_t>(name);
    if (!pid) continue;
    const Result<sys::ProcessStat> stat = sys::read_process_stat(*pid);
    if (stat && !stat->has_ended()) found.push_back(*stat);
  }
  return found;
}

// In no particular order, and without `ancestor` itself.
std::vector<sys::ProcessStat> descendants(const std::vector<sys::ProcessStat>& all, pid_t ancestor) {
  std::multimap<pid_t, const sys::ProcessStat*> children;
  for (const sys::ProcessStat& one : all) children.emplace(one.parent, &one);
  std::vector<sys::ProcessStat> found;
  std::vector<pid_t> parents{ancestor};
  while (!parents.empty()) {
    const auto [begin, end] = children.equal_range(parents.back());
    parents.pop_back();
    for (auto child = begin; child != end; ++child) {
      found.push_back(*child->second);
      parents.push_back(child->second->pid);
    }
  }
  return found;
}

void kill_one(const sys::ProcessStat& seen) {
  const Result<sys::UniqueFd> pidfd = sys::open_process(seen.pid);
  if (!pidfd) return;
  // Compared now that the descriptor stands for one process for ever.
  const Result<int64_t> start = sys::start_time(seen.pid);
  if (!start || *start != seen.start) return;
  [[maybe_unused]] const Result<> sent = sys::send_signal(pidfd->get(), SIGKILL);
}

}  // namespace

Result<> kill_tree(const RunningContainer& process) {
  constexpr int kRounds = 100;
  TRY(sys::send_signal(process.pidfd.get(), SIGSTOP));
  for (int round = 0; round < kRounds; ++round) {
    const Result<std::vector<sys::ProcessStat>> all = all_processes();
    if (!all) break;
    const std::vector<sys::ProcessStat> rest = descendants(*all, process.pid);
    if (rest.empty()) break;
    std::for_each(rest.begin(), rest.end(), kill_one);
  }
  return sys::send_signal(process.pidfd.get(), SIGKILL);
}

}  // namespace berth::runtime
