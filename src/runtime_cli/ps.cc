// `berth-runtime ps`.
#include "lifecycle/listing.h"
#include "runtime_cli/command.h"
#include "runtime_cli/ps_lines.h"
#include "sys/spawn.h"

namespace berth::runtime_cli {

namespace {

// What ps(1) of the host prints with these options. Its errors go to stderr.
Result<std::string> output_of_ps(const std::vector<std::string>& options) {
  constexpr size_t kMost = size_t{64} << 20;
  std::vector<std::string> words{"ps"};
  words.insert(words.end(), options.begin(), options.end());
  sys::ProgramOutput output = TRY(sys::output_of("ps", std::move(words), kMost));
  if (output.status != 0) return fail("ps(1) failed");
  return std::move(output.text);
}

std::string json_of(const std::vector<pid_t>& processes) {
  return fmt::format("[{}]", fmt::join(processes, ","));
}

}  // namespace

Result<int> ps_command(const Invocation& invocation) {
  std::string format = "table";
  flags::Flags line(invocation, "[flags] ID [PS-OPTION...]",
                    "Shows the processes of a container, by the host's ps(1) with its options (-ef) or as a "
                    "list of their IDs.",
                    "  berth-runtime ps web\n  berth-runtime ps --format json web\n"
                    "  berth-runtime ps web -o pid,rss,args\n");
  line.value("-f,--format", format, "What to print", {.shown = "FORMAT", .choices = {"table", "json"}});
  line.leave_rest();
  if (!TRY(line.parse())) return 0;
  std::vector<std::string> options = line.rest();
  if (!options.empty() && options.front() == "--") options.erase(options.begin());
  if (options.empty()) return fail(Code::usage, "ps needs the ID of a container");
  if (options.front().starts_with('-')) return line.unknown_flag(options.front());
  const std::string id = options.front();
  options.erase(options.begin());
  if (options.empty()) options = {"-ef"};
  const lifecycle::Root root = TRY(open_root(invocation));
  const std::vector<pid_t> processes = TRY(lifecycle::processes_of(root, id));
  if (format == "json") {
    fmt::print("{}\n", json_of(processes));
    return 0;
  }
  const std::string output = TRY(output_of_ps(options));
  fmt::print("{}", TRY(lines_about(output, processes)));
  return 0;
}

}  // namespace berth::runtime_cli
