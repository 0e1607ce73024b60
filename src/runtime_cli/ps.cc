// `berth-runtime ps`.
#include <cerrno>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifecycle/listing.h"
#include "runtime_cli/command.h"
#include "runtime_cli/ps_lines.h"
#include "sys/file.h"
#include "sys/pipe.h"

namespace berth::runtime_cli {

namespace {

// What ps(1) of the host prints with these options. Its errors go to stderr.
Result<std::string> output_of_ps(const std::vector<std::string>& options) {
  constexpr size_t kMost = size_t{64} << 20;
  sys::Pipe pipe = TRY(sys::make_pipe());
  std::string name = "ps";
  std::vector<char*> argv{name.data()};
  for (const std::string& option : options) argv.push_back(const_cast<char*>(option.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe.write_end.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int err = ::posix_spawnp(&pid, name.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (err != 0) return fail_errno(err, "execute ps(1)");
  pipe.write_end.reset();
  Result<std::string> text = sys::read_all(pipe.read_end.get(), kMost);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (text && status != 0) return fail("ps(1) failed");
  return text;
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
