// `berth project create`.
#include "cli/flag_values.h"
#include "cli/flags.h"
#include "cli/project_text.h"
#include "cli/projects.h"
#include "config/load.h"
#include "config/policy_checks.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/pool_rules.h"
#include "engine/recovery/store_copy.h"

namespace berth::cli {

namespace {

struct CreateFlags {
  std::string name;
  std::string policy;
  std::optional<int64_t> quota;
  std::optional<int64_t> number;
  std::vector<std::string> labels;
  std::string description;
  std::string display_name;
};

Result<std::map<std::string, std::string>> annotations_of(const CreateFlags& flags,
                                                          const std::string& requester) {
  std::map<std::string, std::string> annotations{{kRequester, requester}};
  if (!flags.description.empty()) annotations[kDescription] = flags.description;
  if (!flags.display_name.empty()) annotations[kDisplayName] = flags.display_name;
  return annotations;
}

Result<ledger::NewProject> wanted_project(const CreateFlags& flags, const config::Config& config,
                                          const std::string& caller) {
  TRY(ledger::check_project_name(flags.name));
  TRY(config::check_project(config, caller, flags.name));
  ledger::NewProject wanted{
      .name = flags.name,
      .policy = flags.policy.empty() ? config.defaults.project_policy.value : flags.policy,
      .quota = flags.quota};
  const config::ProjectPolicy policy =
      TRY_CONTEXT(config::find_project_policy(config, wanted.policy), "--policy {}", wanted.policy);
  TRY(config::check_project_banks(config, policy, ledger::kBanksOfProject));
  wanted.bank_quota = policy.banks.value.value_or(config.policy.project_banks.value);
  if (flags.number) wanted.number = static_cast<uint32_t>(*flags.number);
  std::map<std::string, std::string> labels;
  for (const std::string& text : flags.labels) {
    engine::Pair pair = TRY(parse_pair("--label", text));
    labels[std::move(pair.key)] = std::move(pair.value);
  }
  wanted.labels = TRY_CONTEXT(object_text(labels), "--label");
  const std::map<std::string, std::string> annotations = TRY(annotations_of(flags, caller));
  wanted.annotations = TRY_CONTEXT(object_text(annotations), "--description");
  return wanted;
}

}  // namespace

Result<int> create_project(const Invocation& invocation) {
  CreateFlags flags;
  Flags line(
      invocation, "[flags] NAME",
      "Makes a project, the tenant of a hosting platform: it gets a number, an assigned range of 10,000 IDs "
      "inside\n"
      "(1000000000 + 10000 times the number, as OpenShift gives it), and two banks of the host's IDs of its "
      "own.\n"
      "All containers of `berth run --project NAME` have these IDs, at every start, and no other container "
      "has.\n"
      "Prints the name, which is small letters, digits and hyphens.\n"
      "\n"
      "The policy decides as whom they run: restricted (default) has the assigned UID, GID 0 and the range's "
      "first\n"
      "ID as supplementary group; nonroot has the image's USER if that is a number and not 0; anyuid "
      "whatever "
      "the\n"
      "image says. None adds capabilities or shares a namespace with the host. The configuration may have "
      "more.",
      "  berth project create shop\n"
      "  berth project create shop --policy nonroot --quota 20 --label team=web\n"
      "  berth project create shop --number 4      # as another host has it: 1000040000-1000049999\n");
  line.value("--policy", flags.policy, "restricted, nonroot, anyuid, or one of the configuration's",
             {.shown = "NAME"});
  line.value("--quota", flags.quota, "How many containers it may have, running or not (no limit)",
             {.shown = "N", .range = Range{0, 1'000'000}});
  line.value("--number", flags.number, "Its number, from which its IDs follow (the lowest that is free)",
             {.shown = "N", .range = Range{0, static_cast<int>(ledger::kProjectNumbers) - 1}});
  line.list("-l,--label", flags.labels, "KEY=VALUE");
  line.value("--description", flags.description, "What it is for");
  line.value("--display-name", flags.display_name, "What people call it");
  line.word("name", flags.name, Need::required);
  if (!TRY(line.parse())) return 0;
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  const auto create = [&]() -> Result<> {
    const ledger::NewProject wanted =
        TRY(wanted_project(flags, config, engine::caller_from_environment().name));
    store::Store store = TRY(open_store(invocation));
    store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
    TRY(ledger::create_project(store.db(), wanted, engine::host_under(config)));
    TRY(engine::write_store_copy(store));
    return transaction.commit();
  };
  TRY_CONTEXT(create(), "create project {}", printable(flags.name));
  fmt::print("{}\n", flags.name);
  return 0;
}

}  // namespace berth::cli
