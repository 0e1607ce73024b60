#include "runtime_cli/command.h"

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "base/log.h"
#include "base/nearest.h"
#include "bundle/config.h"
#include "runtime_cli/log_file.h"

namespace berth::runtime_cli {

namespace {

constexpr std::string_view kProgram = "berth-runtime";
constexpr int kFailed = 1;

std::string list_of_commands() {
  std::string text = "Commands\n";
  for (const Command& command : all_commands())
    text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  return text;
}

struct Parsed {
  Globals globals;
  LogTarget log;
  std::vector<std::string> rest;  // the command and what follows it
  bool answered = false;          // --help or --version
};

Result<Parsed> parse_globals(const flags::CommandLine& line, const std::string& commands) {
  Parsed parsed;
  parsed.globals.root = lifecycle::kDefaultRoot;
  bool version = false;
  bool debug = false;
  std::string level = "warn";
  std::string rootless;
  flags::Flags flags(
      line, "[flags] COMMAND [ARG...]",
      "Runs containers from OCI bundles (runtime-spec 1.2), for podman, containerd, Docker and others.\n"
      "The exit status of a command that fails is 1, of exec 255.",
      commands);
  flags.value("--root", parsed.globals.root, "Where the state of containers is kept (/run/berth-runtime)");
  flags.value("--log", parsed.log.path, "Write errors and warnings to this file too");
  flags.value("--log-format", parsed.log.format, "Of the log",
              {.shown = "FORMAT", .choices = {"text", "json"}});
  flags.value("--log-level", level, "error, warn, info or debug", {.shown = "LEVEL"});
  flags.flag("--debug", debug, "As --log-level debug");
  flags.flag("--systemd-cgroup", parsed.globals.systemd_cgroup,
             "Let systemd make cgroups: slice:prefix:name");
  flags.value("--rootless", rootless, "Taken for others' sake; only root can run containers",
              {.shown = "true|false|auto"});
  flags.flag("-v,--version", version, "Print the version");
  flags.leave_rest();
  parsed.answered = !TRY(flags.parse());
  if (version) {
    fmt::print("berth-runtime version {}\nspec: {}\n", BERTH_VERSION, bundle::kNewestVersion);
    parsed.answered = true;
  }
  if (debug) level = "debug";
  if (!log::set_level(level))
    return fail(Code::usage, "--log-level {}: it is error, warn, info or debug", level);
  open_log(parsed.log);
  parsed.rest = flags.rest();
  return parsed;
}

const Command* find_command(const std::string& name) {
  const auto commands = all_commands();
  const auto found =
      std::find_if(commands.begin(), commands.end(), [&](const Command& one) { return one.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

int status_of_failure(const Parsed& parsed) {
  const Command* command = parsed.rest.empty() ? nullptr : find_command(parsed.rest.front());
  return command == nullptr ? kFailed : command->failed;
}

Result<int> dispatch(const Parsed& parsed) {
  if (parsed.rest.empty()) return fail(Code::usage, "there is no command; `berth-runtime --help` lists them");
  const std::string& name = parsed.rest.front();
  if (const Command* found = find_command(name); found != nullptr) {
    const Invocation invocation(parsed.globals, name, {parsed.rest.begin() + 1, parsed.rest.end()});
    return found->run(invocation);
  }
  std::vector<std::string_view> names;
  for (const Command& command : all_commands()) names.push_back(command.name);
  Error error{Code::usage, 0, fmt::format("there is no command {}", name), {}};
  const std::string_view near = nearest(name, names);
  if (!near.empty()) error.hint = fmt::format("Did you mean {}?", near);
  return std::unexpected(std::move(error));
}

}  // namespace

Result<lifecycle::Root> open_root(const Invocation& invocation) {
  return lifecycle::Root::open(invocation.globals.root);
}

Result<int> act_on_container(const Invocation& invocation, std::string_view description,
                             std::string_view examples,
                             Result<> (*act)(const lifecycle::Root& root, const std::string& id)) {
  std::string id;
  flags::Flags line(invocation, "ID", description, examples);
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  TRY(act(root, id));
  return 0;
}

int run_command_line(std::span<const std::string> argv) {
  log::set_program(kProgram);
  const flags::CommandLine line{std::string(kProgram), "", {argv.begin() + 1, argv.end()}};
  const Result<Parsed> parsed = parse_globals(line, list_of_commands());
  const auto run = [&]() -> Result<int> {
    if (!parsed) return std::unexpected(parsed.error());
    if (parsed->answered) return 0;
    try {
      return dispatch(*parsed);
    } catch (const std::system_error& failed) {  // fmt::print()
      return fail_errno(failed.code().value(), "write the output");
    }
  };
  const Result<int> status = run();
  if (status) return std::fflush(stdout) == 0 ? *status : kFailed;
  std::fflush(stdout);
  // containerd gives pods a standard error that can't be written to, and fmt::print() would throw then.
  std::fputs(render(kProgram, status.error()).c_str(), stderr);
  log_error(status.error());
  return parsed ? status_of_failure(*parsed) : kFailed;
}

}  // namespace berth::runtime_cli
