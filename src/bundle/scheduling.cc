// How the kernel is to schedule a process: CPU, disk, and on which CPUs.
#include <linux/sched.h>

#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

// linux/sched.h keeps the number of SCHED_ISO free and has no such policy.
constexpr uint32_t kSchedIso = 4;

constexpr std::array<Word<uint32_t>, 7> kPolicies{{
    {"SCHED_OTHER", SCHED_NORMAL},
    {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_ISO", kSchedIso},
    {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE},
}};

constexpr std::array<Word<uint64_t>, 7> kFlags{{
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
}};

// The numbers of linux/ioprio.h, which is not written for C++.
constexpr std::array<Word<unsigned>, 3> kIoClasses{{
    {"IOPRIO_CLASS_RT", 1},
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
}};

// sched(7): 1 to 99 for the real-time policies, 0 for the others.
Result<uint32_t> read_priority(const JsonView& scheduler, uint32_t policy) {
  constexpr uint32_t kHighest = 99;
  const bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;
  const auto view = TRY(scheduler.find("priority"));
  if (view) return view->number<uint32_t>(real_time ? 1 : 0, real_time ? kHighest : 0);
  if (real_time) return scheduler.refuse("\"priority\" is missing, which SCHED_FIFO and SCHED_RR need");
  return 0;
}

// sched(7), "SCHED_DEADLINE": runtime <= deadline <= period, each at least 1024 ns and below 2^63; without a
// period it is the deadline.
Result<> read_deadline(const JsonView& view, Scheduler& out) {
  constexpr uint64_t kLeast = 1024;
  constexpr uint64_t kMost = INT64_MAX;
  const bool wanted = out.policy == SCHED_DEADLINE;
  for (const std::string_view key : {"runtime", "deadline", "period"}) {
    const auto value = TRY(view.find(key));
    if (!value) continue;
    const auto time = TRY(value->number<uint64_t>(0, kMost));
    if (time != 0 && !wanted) return value->refuse_value("is not allowed, only with SCHED_DEADLINE");
    (key == "runtime" ? out.runtime : key == "deadline" ? out.deadline : out.period) = time;
  }
  if (!wanted) return {};
  const uint64_t period = out.period == 0 ? out.deadline : out.period;
  if (out.runtime < kLeast || out.runtime > out.deadline || out.deadline > period) {
    return view.refuse(
        fmt::format("runtime {}, deadline {} and period {} are not allowed, it must be {} <= "
                    "runtime <= deadline <= period",
                    out.runtime, out.deadline, out.period, kLeast));
  }
  return {};
}

Result<CpuList> read_cpus(const JsonView& object, std::string_view key) {
  const auto view = TRY(object.find(key));
  if (!view) return CpuList();
  const std::string text = TRY(view->string());
  const std::optional<CpuList> list = parse_cpu_list(text);
  if (!list) return view->refuse_value("is not allowed, it must be a list of CPUs such as \"0-3,7\"");
  return *list;
}

}  // namespace

Result<std::optional<Scheduler>> read_scheduler(const JsonView& process) {
  constexpr int32_t kLowestNice = -20;
  constexpr int32_t kHighestNice = 19;
  const auto view = TRY(process.find("scheduler"));
  if (!view) return std::optional<Scheduler>();
  Scheduler out;
  const JsonView policy = TRY(view->member("policy"));
  out.policy = TRY(read_word(policy, kPolicies));
  out.nice = TRY(read_number<int32_t>(*view, "nice", kLowestNice, kHighestNice)).value_or(0);
  out.priority = TRY(read_priority(*view, out.policy));
  for (const JsonView& flag : TRY(read_list(*view, "flags", kFlags.size()))) {
    out.flags |= TRY(read_word(flag, kFlags));
  }
  TRY(read_deadline(*view, out));
  return std::optional(out);
}

Result<std::optional<IoPriority>> read_io_priority(const JsonView& process) {
  constexpr unsigned kLowest = 7;
  const auto view = TRY(process.find("ioPriority"));
  if (!view) return std::optional<IoPriority>();
  IoPriority out;
  const JsonView io_class = TRY(view->member("class"));
  const JsonView priority = TRY(view->member("priority"));
  out.io_class = TRY(read_word(io_class, kIoClasses));
  out.priority = TRY(priority.number<unsigned>(0, kLowest));
  return std::optional(out);
}

Result<std::optional<CpuAffinity>> read_cpu_affinity(const JsonView& process) {
  const auto view = TRY(process.find("execCPUAffinity"));
  if (!view) return std::optional<CpuAffinity>();
  CpuAffinity out;
  out.initial = TRY(read_cpus(*view, "initial"));
  out.final = TRY(read_cpus(*view, "final"));
  return std::optional(std::move(out));
}

}  // namespace berth::bundle
