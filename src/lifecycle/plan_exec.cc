#include "lifecycle/plan_exec.h"

#include "base/accounts.h"
#include "lifecycle/plan.h"
#include "oci/capability_names.h"

namespace berth::lifecycle {

namespace {

// What the file says, and of the container what it leaves out. What config.json promised stays: the filter,
// and noNewPrivileges once it is set.
Result<runtime::ProcessPlan> from_file(const Record& record, const bundle::Process& file) {
  const runtime::ProcessPlan& own = record.process;
  const cgroup::Hierarchies not_needed;
  runtime::ProcessPlan plan = TRY(plan_process(file, {.id = record.id,
                                                      .bundle = record.bundle,
                                                      .uid_map = record.uid_map,
                                                      .gid_map = record.gid_map,
                                                      .umask = own.umask,
                                                      .seccomp_filter = own.seccomp,
                                                      .seccomp_flags = own.seccomp_flags,
                                                      .own_keyring = own.own_keyring,
                                                      .hierarchies = not_needed}));
  if (!file.capabilities) plan.capabilities = own.capabilities;
  if (file.rlimits.empty()) plan.limits = own.limits;
  if (!file.scheduler) plan.scheduler = own.scheduler;
  if (!file.io_priority) plan.io_priority = own.io_priority;
  if (plan.apparmor_profile.empty()) plan.apparmor_profile = own.apparmor_profile;
  if (plan.selinux_label.empty()) plan.selinux_label = own.selinux_label;
  plan.no_new_privileges = plan.no_new_privileges || own.no_new_privileges;
  plan.personality = own.personality;
  return plan;
}

runtime::ProcessPlan from_record(const Record& record) {
  runtime::ProcessPlan plan = record.process;
  plan.argv.clear();
  plan.terminal = false;
  plan.rows = 0;
  plan.columns = 0;
  return plan;
}

Result<> take_user(const std::string& user, runtime::ProcessPlan& plan) {
  const size_t colon = user.find(':');
  plan.uid = TRY_CONTEXT(parse_id(std::string_view(user).substr(0, colon)), "--user {}", user);
  if (colon == std::string::npos) return {};
  plan.gid = TRY_CONTEXT(parse_id(std::string_view(user).substr(colon + 1)), "--user {}", user);
  return {};
}

// Not inheritable or ambient: --cap is for the process, not for what it executes as another user.
Result<> add_capabilities(const std::vector<std::string>& names, runtime::ProcessPlan& plan) {
  for (const std::string& name : names) {
    const uint64_t bit = oci::capability_bit(TRY_CONTEXT(oci::parse_capability(name), "--cap {}", name));
    plan.capabilities.bounding |= bit;
    plan.capabilities.permitted |= bit;
    plan.capabilities.effective |= bit;
  }
  return {};
}

Result<> add_variables(const std::vector<std::string>& variables, runtime::ProcessPlan& plan) {
  for (const std::string& variable : variables) {
    const size_t equals = variable.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(Code::usage, "--env {}: it must be NAME=VALUE", variable);
    const std::string name = variable.substr(0, equals + 1);
    std::erase_if(plan.environment, [&](const std::string& other) { return other.starts_with(name); });
    plan.environment.push_back(variable);
  }
  return {};
}

Result<> apply_flags(const ExecOptions& options, runtime::ProcessPlan& plan) {
  if (!options.words.empty()) plan.argv = options.words;
  if (options.cwd) {
    if (!options.cwd->starts_with('/'))
      return fail(Code::usage, "--cwd {}: it must be an absolute path", *options.cwd);
    plan.working_directory = *options.cwd;
  }
  if (options.user) TRY(take_user(*options.user, plan));
  for (const std::string& group : options.groups)
    plan.groups.push_back(TRY_CONTEXT(parse_id(group), "--additional-gids {}", group));
  TRY(add_variables(options.environment, plan));
  TRY(add_capabilities(options.capabilities, plan));
  if (options.apparmor) plan.apparmor_profile = *options.apparmor;
  if (options.selinux_label) plan.selinux_label = *options.selinux_label;
  plan.no_new_privileges = plan.no_new_privileges || options.no_new_privileges;
  plan.terminal = plan.terminal || options.terminal;
  return {};
}

// An ID outside the map could not be taken on; the message is better now than from the kernel.
Result<> check(const Record& record, const ExecOptions& options, const runtime::ProcessPlan& plan) {
  TRY_CONTEXT(runtime::outside_id(record.uid_map, plan.uid), "the user");
  TRY_CONTEXT(runtime::outside_id(record.gid_map, plan.gid), "the group");
  for (const uint32_t group : plan.groups)
    TRY_CONTEXT(runtime::outside_id(record.gid_map, group), "the additional group");
  if (plan.argv.empty()) return fail(Code::usage, "there is no command to execute");
  // runc's words, which its callers know.
  if (plan.terminal && options.detach && options.console_socket.empty())
    return fail(Code::usage, "cannot allocate tty if the caller will detach without setting console socket");
  if (!plan.terminal && !options.console_socket.empty())
    return fail(Code::usage, "cannot use console socket if there is no tty: --console-socket needs --tty");
  return {};
}

}  // namespace

Result<ExecWish> plan_exec(const Record& record, const std::optional<bundle::Process>& file,
                           const ExecOptions& options) {
  ExecWish wish{.plan = {.affinity = record.exec_affinity}, .oom_score_adj = record.oom_score_adj};
  runtime::ProcessPlan& process = wish.plan.process;
  process = file ? TRY(from_file(record, *file)) : from_record(record);
  TRY(apply_flags(options, process));
  TRY(check(record, options, process));
  if (file && file->oom_score_adj) wish.oom_score_adj = file->oom_score_adj;
  if (file && file->exec_cpu_affinity) wish.plan.affinity = plan_affinity(*file->exec_cpu_affinity);
  return wish;
}

}  // namespace berth::lifecycle
