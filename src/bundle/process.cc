#include "bundle/process.h"

#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include "bundle/config_parts.h"
#include "oci/strict_json.h"

namespace berth::bundle {

namespace {

constexpr size_t kMaxArguments = size_t{1} << 16;
constexpr size_t kMaxGroups = 65536;  // NGROUPS_MAX, setgroups(2)
constexpr uint32_t kMaxUmask = 0777;
constexpr int kMaxOomScoreAdj = 1000;

constexpr std::array<Word<unsigned>, 16> kLimits{{
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
}};

// Of no meaning without a terminal, and then not even looked at (config.md: it MUST be ignored).
Result<std::optional<ConsoleSize>> read_console_size(const JsonView& process, bool terminal) {
  const auto view = TRY(process.find("consoleSize"));
  if (!view || !terminal) return std::optional<ConsoleSize>();
  const JsonView height = TRY(view->member("height"));
  const JsonView width = TRY(view->member("width"));
  ConsoleSize size;
  size.rows = TRY(height.number<uint16_t>());
  size.columns = TRY(width.number<uint16_t>());
  return std::optional(size);
}

// Without a user it is root, as with runc and crun; within one, both IDs are required.
Result<User> read_user(const JsonView& process) {
  User user;
  const auto view = TRY(process.find("user"));
  if (!view) return user;
  const JsonView uid = TRY(view->member("uid"));
  const JsonView gid = TRY(view->member("gid"));
  user.uid = ContainerUid(TRY(read_id(uid)));
  user.gid = ContainerGid(TRY(read_id(gid)));
  user.umask = TRY(read_number<uint32_t>(*view, "umask", 0, kMaxUmask));
  for (const JsonView& group : TRY(read_list(*view, "additionalGids", kMaxGroups))) {
    user.additional_gids.emplace_back(TRY(read_id(group)));
  }
  return user;
}

Result<std::vector<std::string>> read_args(const JsonView& process) {
  const JsonView list = TRY(process.member("args"));
  std::vector<std::string> args = TRY(read_strings(process, "args", kMaxArguments));
  if (args.empty()) return list.refuse("it must have at least one element");
  const std::vector<JsonView> elements = TRY(list.elements());
  if (args.front().empty()) return elements.front().refuse_value("is not allowed");
  return args;
}

Result<std::vector<ResourceLimit>> read_rlimits(const JsonView& process) {
  std::vector<ResourceLimit> limits;
  for (const JsonView& view : TRY(read_list(process, "rlimits", kMaxListed))) {
    const JsonView type = TRY(view.member("type"));
    const JsonView soft = TRY(view.member("soft"));
    const JsonView hard = TRY(view.member("hard"));
    ResourceLimit limit;
    limit.resource = TRY(read_word(type, kLimits));
    limit.soft = TRY(soft.number<uint64_t>());
    limit.hard = TRY(hard.number<uint64_t>());
    if (limit.soft > limit.hard) {
      return soft.refuse_value(fmt::format("is not allowed, it is more than \"hard\", {}", limit.hard));
    }
    for (const ResourceLimit& earlier : limits) {
      if (earlier.resource == limit.resource) return type.refuse_value("is given twice");
    }
    limits.push_back(limit);
  }
  return limits;
}

}  // namespace

Result<Process> read_process(const JsonView& view, Warnings& warnings) {
  Process out;
  out.terminal = TRY(view.boolean_or_false("terminal"));
  out.console_size = TRY(read_console_size(view, out.terminal));
  out.user = TRY(read_user(view));
  out.args = TRY(read_args(view));
  out.env = TRY(read_environment(view, "env"));
  const JsonView cwd = TRY(view.member("cwd"));
  out.cwd = TRY(read_absolute_path(cwd));
  out.capabilities = TRY(read_capabilities(view, warnings));
  out.rlimits = TRY(read_rlimits(view));
  out.no_new_privileges = TRY(view.boolean_or_false("noNewPrivileges"));
  out.apparmor_profile = TRY(read_line(view, "apparmorProfile"));
  out.selinux_label = TRY(read_line(view, "selinuxLabel"));
  out.oom_score_adj = TRY(read_number<int>(view, "oomScoreAdj", -kMaxOomScoreAdj, kMaxOomScoreAdj));
  out.scheduler = TRY(read_scheduler(view));
  out.io_priority = TRY(read_io_priority(view));
  out.exec_cpu_affinity = TRY(read_cpu_affinity(view));
  return out;
}

Result<ParsedProcess> parse_process(std::string_view text) {
  constexpr const char* kName = "process.json";
  const nlohmann::json document = TRY_CONTEXT(oci::parse_strict_json(text, kMaxConfigBytes), "{}", kName);
  ParsedProcess out;
  out.process = TRY(read_process(JsonView(document, kName, JsonView::Values::shown), out.warnings));
  return out;
}

}  // namespace berth::bundle
