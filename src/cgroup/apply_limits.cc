#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>

#include "base/fields.h"
#include "cgroup/control_file.h"
#include "cgroup/limits.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

// v1 says "no limit" with the largest number of pages that a counter holds, in bytes.
constexpr int64_t kV1Unlimited = 0x7ffffffffffff000 - 0x10000;

// The number in a file; nullopt for "max", v1's word for it, and if there is no such file.
std::optional<int64_t> number_in(const Cgroup::Part& part, const std::string& file) {
  const Result<std::string> text = read_control(part.fd.get(), file);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const auto number = whole_number<int64_t>(take_until(rest, '\n'));
  return number && *number < kV1Unlimited ? number : std::nullopt;
}

bool has_file(const Cgroup::Part& part, const std::string& file) {
  return sys::exists_at(part.fd.get(), file);
}

void look_at_memory(const Cgroup::Part& part, Facts& facts) {
  facts.swap = has_file(part, part.v2() ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
  facts.memory_limit = number_in(part, part.v2() ? "memory.max" : "memory.limit_in_bytes");
  if (!part.v2()) facts.memory_and_swap_limit = number_in(part, "memory.memsw.limit_in_bytes");
  facts.memory_usage = number_in(part, part.v2() ? "memory.current" : "memory.usage_in_bytes");
}

void look_at_weights(const Cgroup::Part& part, Facts& facts) {
  facts.weight = has_file(part, part.v2() ? "io.weight" : "blkio.weight");
  facts.bfq_weight = has_file(part, part.v2() ? "io.bfq.weight" : "blkio.bfq.weight");
}

// "max 100000"
void look_at_quota(const Cgroup::Part& part, Facts& facts) {
  const Result<std::string> text = read_control(part.fd.get(), "cpu.max");
  if (!text) return;
  std::string_view rest = *text;
  facts.cpu_quota = take_until(rest, ' ');
}

// What the kernel's answer to a value means (memory.rst, cgroup-v2.rst, cpusets.rst, sched-bwc.rst).
std::string value_hint(const Write& write, const Cgroup::Part& part, int err) {
  const auto is = [&write](std::string_view file) { return write.file.find(file) != std::string::npos; };
  switch (err) {
    case EBUSY:
      if (is("memory.") && is("limit")) return "More is in use than the new limit, and could not be freed.";
      if (write.controller == "cpuset")
        return "A cgroup below it, or a process in it, uses what would be taken away.";
      return "";
    case EINVAL:
      if (is("memsw") || write.file == "memory.limit_in_bytes") {
        return "The limit of memory and swap together can't be below that of memory: give memory.swap with "
               "it.";
      }
      if (is("burst")) return "A burst is at most the quota.";
      if (is("cfs_") || write.file == "cpu.max") {
        return "A period is 1000 to 1000000 microseconds, a quota at least 1000, and neither may give more "
               "than the "
               "cgroup above has.";
      }
      if (is("rt_")) return "The cgroups above together leave less real-time than that.";
      if (is("swappiness") || is("oom_control") || is("use_hierarchy"))
        return "This kernel can't set it any more.";
      return "";
    case EACCES:
    case EPERM:
      if (write.controller == "cpuset")
        return "The cgroup above has not all of these processors or memory nodes.";
      return fmt::format("{} is not delegated to this user, or the cgroup above allows less.", part.shown());
    case ERANGE:
      return "The number is outside of what the kernel takes for it.";
    case ENODEV:
      return "There is no such device, or it is not a whole disk.";
    case ENOENT:
      return "This kernel has no such file: what it limits was not built in, was taken out, or is not "
             "supported here.";
    case EOPNOTSUPP:
    case 524:  // the kernel's ENOTSUPP, which it lets through
      return "This kernel has given the limit up. Take it out of the configuration.";
    default:
      return "";
  }
}

std::unexpected<Error> write_failed(const Write& write, const Cgroup::Part& part, Error error) {
  error.message = fmt::format("set linux.resources.{}: write \"{}\" to {}/{}: {}", write.limit,
                              printable(write.value), part.shown(), write.file, describe_errno(error.err));
  error.hint = value_hint(write, part, error.err);
  return std::unexpected(std::move(error));
}

// A control file that stays open for the next write to it: a list of devices has one a line.
struct LastFile {
  const Cgroup::Part* part = nullptr;
  std::string name;
  sys::UniqueFd fd;
};

Result<> write_to(const Cgroup::Part& part, const Write& write, LastFile& last) {
  if (last.part != &part || last.name != write.file)
    last = {&part, write.file, TRY(sys::open_at(part.fd.get(), write.file, O_WRONLY))};
  return sys::write_control(last.fd.get(), write.file, write.value);
}

// False if it should be tried again after the others.
Result<bool> write_one(const Cgroup& cgroup, const Write& write, LastFile& last) {
  const Cgroup::Part* part =
      write.controller == "cgroup" ? cgroup.v2() : cgroup.with_controller(write.controller);
  if (part == nullptr) {
    return fail("set linux.resources.{}: the cgroup controller {} is not there", write.limit,
                write.controller);
  }
  if (write.when == Write::When::if_there && !has_file(*part, write.file)) return true;
  const Result<> written = write_to(*part, write, last);
  if (written) return true;
  if (write.when == Write::When::now_or_last && written.error().err == EINVAL) return false;
  return write_failed(write, *part, written.error());
}

}  // namespace

Result<Facts> look_at(const Cgroup& cgroup, const Limits& limits) {
  Facts facts;
  for (const Cgroup::Part& part : cgroup.parts()) {
    std::string_view rest = part.hierarchy.key;
    while (!rest.empty()) facts.controllers.emplace(take_until(rest, ','), Version::v1);
  }
  if (const Cgroup::Part* v2 = cgroup.v2()) {
    facts.v2_shown = v2->shown();
    for (std::string& name : TRY(read_words(v2->fd.get(), "cgroup.controllers"))) {
      facts.controllers.emplace(std::move(name), Version::v2);
    }
  }
  const MemoryLimits& memory = limits.memory;
  const Cgroup::Part* part = cgroup.with_controller("memory");
  if (part != nullptr && (memory.limit || memory.swap)) look_at_memory(*part, facts);
  part = cgroup.with_controller("blkio");
  if (part == nullptr) part = cgroup.with_controller("io");
  const BlockIoLimits& io = limits.block_io;
  if (part != nullptr && (io.weight || io.leaf_weight || !io.weight_device.empty()))
    look_at_weights(*part, facts);
  part = cgroup.with_controller("cpu");
  if (part != nullptr && part->v2() && limits.cpu.period) look_at_quota(*part, facts);
  return facts;
}

Result<> write_plan(const Cgroup& cgroup, const std::vector<Write>& plan) {
  std::vector<Write> again;
  LastFile file;
  for (const Write& write : plan) {
    if (TRY(write_one(cgroup, write, file))) continue;
    again.push_back(write);
    again.back().when = Write::When::now;
  }
  for (const Write& write : again) TRY(write_one(cgroup, write, file));
  return {};
}

Result<> apply_limits(const Cgroup& cgroup, const Limits& limits) {
  const Facts facts = TRY(look_at(cgroup, limits));
  const std::vector<Write> plan = TRY(plan_limits(limits, facts));
  return write_plan(cgroup, plan);
}

}  // namespace berth::cgroup
