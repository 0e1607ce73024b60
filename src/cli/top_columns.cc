#include "cli/top_columns.h"

#include <algorithm>
#include <array>

#include <grp.h>
#include <pwd.h>
#include <sys/sysmacros.h>

#include "base/accounts.h"
#include "base/fields.h"
#include "base/letter_case.h"
#include "base/nearest.h"
#include "oci/capability_names.h"

namespace berth::cli {

namespace {

using Process = sys::ProcessDetails;

enum : size_t { kReal = 0, kEffective = 1 };

std::string number(uint64_t value) {
  return fmt::format("{}", value);
}

// "1h2m3s", "0.25s", as Go prints a duration.
std::string time_text(int64_t ticks, int64_t in_a_second) {
  const int64_t seconds = ticks / in_a_second;
  constexpr int64_t kHundredths = 100;
  const int64_t rest = ticks % in_a_second * kHundredths / in_a_second;
  std::string text;
  if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) text += fmt::format("{}m", seconds / 60 % 60);
  text += fmt::format("{}", seconds % 60);
  if (rest != 0) text += fmt::format(".{:02}", rest);
  return text + "s";
}

int64_t elapsed(const TopContext& context, const Process& process) {
  return std::max<int64_t>(context.uptime - process.start, 0);
}

int64_t processor_time(const Process& process) {
  return process.user_time + process.system_time;
}

// IDs that the container's map does not have show inside as the kernel shows them there.
constexpr uint32_t kNobody = 65534;

uint32_t inside_uid(const TopContext& context, uint32_t uid) {
  const auto inside = context.users.to_container(HostUid(uid));
  return inside ? inside->value() : kNobody;
}

uint32_t inside_gid(const TopContext& context, uint32_t gid) {
  const auto inside = context.groups.to_container(HostGid(gid));
  return inside ? inside->value() : kNobody;
}

std::string user_name(const TopContext& context, uint32_t host_uid) {
  const uint32_t uid = inside_uid(context, host_uid);
  const auto entry = find_user(context.accounts.passwd, uid);
  return entry ? std::string(entry->name) : number(uid);
}

std::string group_name(const TopContext& context, uint32_t host_gid) {
  const uint32_t gid = inside_gid(context, host_gid);
  const auto entry = find_group(context.accounts.group, gid);
  return entry ? std::string(entry->name) : number(gid);
}

std::string host_user_name(uint32_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : number(uid);
}

std::string host_group_name(uint32_t gid) {
  const group* entry = ::getgrgid(gid);
  return entry != nullptr ? entry->gr_name : number(gid);
}

template <typename Name>
std::string joined(const std::vector<uint32_t>& ids, Name name) {
  std::vector<std::string> names;
  for (const uint32_t id : ids) names.push_back(name(id));
  return fmt::format("{}", fmt::join(names, ","));
}

// The process's PID as it is inside; of another one of the container's too, else 0.
pid_t inside_pid(const TopContext& context, pid_t pid) {
  for (const Process& process : context.processes) {
    if (process.pid == pid) return process.pids.back();
  }
  return 0;
}

std::string tty_name(unsigned device) {
  constexpr unsigned kPts = 136;
  constexpr unsigned kConsole = 4;
  if (device == 0) return "?";
  if (major(device) == kPts) return fmt::format("pts/{}", minor(device));
  if (major(device) == kConsole) return fmt::format("tty{}", minor(device));
  return fmt::format("{}:{}", major(device), minor(device));
}

std::string capability_set(uint64_t set) {
  if (set == 0) return "none";
  const unsigned last = oci::last_named_capability();
  const uint64_t all = (uint64_t{2} << last) - 1;
  if ((set & all) == all) return "full";
  std::vector<std::string> names;
  for (unsigned i = 0; i <= last; ++i) {
    if ((set >> i & 1U) == 0) continue;
    const std::string name = oci::capability_name(i);
    constexpr std::string_view kPrefix = "CAP_";
    names.push_back(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
  }
  return fmt::format("{}", fmt::join(names, ","));
}

std::string command(const Process& process) {
  return process.arguments.empty() ? "[" + process.name + "]" : process.arguments;
}

std::string processor_share(const TopContext& context, const Process& process) {
  const int64_t lived = std::max<int64_t>(elapsed(context, process), 1);
  return fmt::format("{:.3f}",
                     100.0 * static_cast<double>(processor_time(process)) / static_cast<double>(lived));
}

std::string seccomp_text(const Process& process) {
  constexpr std::array<std::string_view, 3> kModes{"disabled", "strict", "filter"};
  const auto mode = static_cast<size_t>(process.seccomp);
  return mode < kModes.size() ? std::string(kModes[mode]) : "?";
}

constexpr int64_t kKibi = 1024;

#define BERTH_COLUMN(expression)                                         \
  [](const TopContext& context, const Process& process) -> std::string { \
    static_cast<void>(context);                                          \
    return expression;                                                   \
  }

// podman's names, and uid, gid, huid and hgid, which are numbers.
const TopColumn kColumns[] = {
    {"args", "COMMAND", BERTH_COLUMN(command(process))},
    {"capamb", "AMBIENT CAPS", BERTH_COLUMN(capability_set(process.capabilities[4]))},
    {"capbnd", "BOUNDING CAPS", BERTH_COLUMN(capability_set(process.capabilities[3]))},
    {"capeff", "EFFECTIVE CAPS", BERTH_COLUMN(capability_set(process.capabilities[2]))},
    {"capinh", "INHERITED CAPS", BERTH_COLUMN(capability_set(process.capabilities[0]))},
    {"capprm", "PERMITTED CAPS", BERTH_COLUMN(capability_set(process.capabilities[1]))},
    {"comm", "COMMAND", BERTH_COLUMN(process.name)},
    {"etime", "ELAPSED", BERTH_COLUMN(time_text(elapsed(context, process), context.ticks))},
    {"gid", "GID", BERTH_COLUMN(number(inside_gid(context, process.gids[kEffective])))},
    {"group", "GROUP", BERTH_COLUMN(group_name(context, process.gids[kEffective]))},
    {"groups", "GROUPS",
     BERTH_COLUMN(joined(process.groups, [&](uint32_t gid) { return group_name(context, gid); }))},
    {"hgid", "HGID", BERTH_COLUMN(number(process.gids[kEffective]))},
    {"hgroup", "HGROUP", BERTH_COLUMN(host_group_name(process.gids[kEffective]))},
    {"hgroups", "HGROUPS", BERTH_COLUMN(joined(process.groups, host_group_name))},
    {"hpid", "HPID", BERTH_COLUMN(fmt::format("{}", process.pid))},
    {"huid", "HUID", BERTH_COLUMN(number(process.uids[kEffective]))},
    {"huser", "HUSER", BERTH_COLUMN(host_user_name(process.uids[kEffective]))},
    {"nice", "NI", BERTH_COLUMN(fmt::format("{}", process.nice))},
    {"pcpu", "%CPU", BERTH_COLUMN(processor_share(context, process))},
    {"pgid", "PGID", BERTH_COLUMN(fmt::format("{}", inside_pid(context, process.group)))},
    {"pid", "PID", BERTH_COLUMN(fmt::format("{}", process.pids.back()))},
    {"ppid", "PPID", BERTH_COLUMN(fmt::format("{}", inside_pid(context, process.parent)))},
    {"rgroup", "RGROUP", BERTH_COLUMN(group_name(context, process.gids[kReal]))},
    {"rss", "RSS", BERTH_COLUMN(fmt::format("{}", process.resident_memory / kKibi))},
    {"ruser", "RUSER", BERTH_COLUMN(user_name(context, process.uids[kReal]))},
    {"seccomp", "SECCOMP", BERTH_COLUMN(seccomp_text(process))},
    {"state", "STATE", BERTH_COLUMN(std::string(1, process.state))},
    {"stime", "STIME", BERTH_COLUMN(time_text(elapsed(context, process), context.ticks) + " ago")},
    {"time", "TIME", BERTH_COLUMN(time_text(processor_time(process), context.ticks))},
    {"tty", "TTY", BERTH_COLUMN(tty_name(process.tty))},
    {"uid", "UID", BERTH_COLUMN(number(inside_uid(context, process.uids[kEffective])))},
    {"user", "USER", BERTH_COLUMN(user_name(context, process.uids[kEffective]))},
    {"vsz", "VSZ", BERTH_COLUMN(fmt::format("{}", process.virtual_memory / kKibi))},
};
#undef BERTH_COLUMN

// ps(1)'s own words for some of them.
std::string_view usual_name(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kOthers{{{"%cpu", "pcpu"},
                                                                                  {"cmd", "args"},
                                                                                  {"command", "args"},
                                                                                  {"cputime", "time"},
                                                                                  {"egroup", "group"},
                                                                                  {"euser", "user"},
                                                                                  {"ni", "nice"},
                                                                                  {"s", "state"},
                                                                                  {"vsize", "vsz"}}};
  for (const auto& [other, usual] : kOthers) {
    if (other == word) return usual;
  }
  return word;
}

Result<const TopColumn*> find_column(std::string_view word) {
  const std::string name = small(word);
  std::vector<std::string_view> names;
  for (const TopColumn& column : kColumns) {
    if (column.name == usual_name(name)) return &column;
    names.push_back(column.name);
  }
  Error error = fail(Code::usage, "berth top has no column \"{}\"", word).error();
  const std::string_view near = nearest(name, names);
  error.hint = near.empty() ? fmt::format("The columns are {}.", top_column_names())
                            : fmt::format("Did you mean {}?", near);
  return std::unexpected(std::move(error));
}

}  // namespace

std::string top_column_names() {
  std::vector<std::string_view> names;
  for (const TopColumn& column : kColumns) names.push_back(column.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<std::vector<const TopColumn*>> top_columns(const std::vector<std::string>& descriptors) {
  std::vector<std::string> texts = descriptors;
  if (texts.empty()) texts = {"user,pid,ppid,pcpu,etime,tty,time,args"};
  std::vector<const TopColumn*> columns;
  for (const std::string& text : texts) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view word = take_until(rest, ',');
      if (!word.empty()) columns.push_back(TRY(find_column(word)));
    }
  }
  if (columns.empty()) return fail(Code::usage, "berth top: no column is named");
  return columns;
}

}  // namespace berth::cli
