// `berth-runtime events`.
#include "lifecycle/events.h"

#include <cerrno>
#include <cstdio>

#include "base/duration.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

namespace {

// Each at once: whoever reads them waits for them.
Result<> print_line(const std::string& line) {
  fmt::print("{}\n", line);
  if (std::fflush(stdout) != 0) return fail_errno(errno, "write to the standard output");
  return {};
}

}  // namespace

Result<int> events_command(const Invocation& invocation) {
  std::string id;
  std::string interval_text = "5s";
  bool once = false;
  flags::Flags line(invocation, "[flags] ID",
                    "Prints, a JSON object a line, what a container uses, and when it runs out of memory, "
                    "until it ends.",
                    "  berth-runtime events --stats web\n  berth-runtime events --interval 1s web\n");
  line.flag("--stats", once, "What it uses now, and no more");
  line.value("--interval", interval_text, "How often it is told what it uses (5s)", {.shown = "TIME"});
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const auto interval = parse_duration(interval_text);
  if (!interval || interval->count() == 0)
    return fail(Code::usage, "--interval {}: it is a time such as 500ms or 1m30s", interval_text);
  const lifecycle::Root root = TRY(open_root(invocation));
  if (once) {
    TRY(lifecycle::show_statistics(root, id, print_line));
  } else {
    TRY(lifecycle::watch_events(root, id, *interval, print_line));
  }
  return 0;
}

}  // namespace berth::runtime_cli
