// `berth top`.
#include <ctime>

#include <unistd.h>

#include "base/clock.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/named_or_latest.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/top_columns.h"

namespace berth::cli {

namespace {

Result<TopContext> context_of(store::Store& store, const store::ContainerRecord& record,
                              const engine::LiveStatus& live) {
  const auto map_of = [](const std::string& text) -> Result<idmap::IdMap> {
    return text.empty() ? idmap::IdMap::whole() : idmap::IdMap::parse(text);
  };
  TopContext context{.processes = TRY(engine::processes_of(store, record, live)),
                     .accounts = engine::account_texts(store, record),
                     .users = TRY(map_of(record.uid_map)),
                     .groups = TRY(map_of(record.gid_map))};
  context.ticks = ::sysconf(_SC_CLK_TCK);
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  context.uptime = now.tv_sec * context.ticks + now.tv_nsec * context.ticks / kNanoseconds;
  return context;
}

// ps(1)'s "-o LIST", "-oLIST", "-eo LIST", "-ef" and "aux", as scripts for docker have them.
std::vector<std::string> descriptors_of(const std::vector<std::string>& words) {
  std::vector<std::string> descriptors;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-ef" || word == "aux" || word == "-aux") {
      descriptors.emplace_back(word == "-ef" ? "user,pid,ppid,pcpu,stime,tty,time,args"
                                             : "user,pid,pcpu,vsz,rss,tty,state,stime,time,args");
    } else if (word.starts_with('-') && word.find('o') != std::string::npos) {
      const std::string rest = word.substr(word.find('o') + 1);
      if (!rest.empty()) descriptors.push_back(rest);
    } else {
      descriptors.push_back(word);
    }
  }
  return descriptors;
}

}  // namespace

Result<int> top(const Invocation& invocation) {
  bool latest = false;
  bool list = false;
  Flags line(
      invocation, "[flags] CONTAINER [COLUMN...]",
      "Shows the processes of a container that runs, as the host sees them: nothing of the container is "
      "executed.\n"
      "Columns are named with spaces or commas between; --list-descriptors lists them. huser, huid, hpid and "
      "their like\n"
      "are the host's, user, uid and pid the container's own.",
      "  berth top web\n  berth top web user,huser,pid,hpid,args\n  berth top web -o pid,rss\n");
  line.flag("-l,--latest", latest, "The container that was made last");
  line.flag("--list-descriptors", list, "List the columns that there are");
  line.leave_rest();
  if (!TRY(line.parse())) return 0;
  if (list) {
    fmt::print("{}\n", top_column_names());
    return 0;
  }
  std::vector<std::string> words = line.rest();
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  if (!latest && !words.empty() && words.front().starts_with('-')) return line.unknown_flag(words.front());
  if (!latest && words.empty()) return fail(Code::usage, "berth top: name a container, or give --latest");
  std::vector<std::string> name;
  if (!latest) name.push_back(words.front());
  if (!latest) words.erase(words.begin());
  const std::vector<const TopColumn*> columns = TRY(top_columns(descriptors_of(words)));
  store::Store store = TRY(open_recovered_store(invocation));
  const std::vector<store::ContainerRecord> records = TRY(named_or_latest(store, name, latest));
  const store::ContainerRecord& record = records.front();
  const std::optional<engine::LiveStatus> live = engine::live_status(store, record.id);
  if (!live) return fail(Code::conflict, "container {} does not run", record.name);
  const TopContext context = TRY(context_of(store, record, *live));
  std::vector<std::vector<std::string>> lines{{}};
  for (const TopColumn* column : columns) lines.front().emplace_back(column->heading);
  for (const sys::ProcessDetails& process : context.processes) {
    lines.emplace_back();
    for (const TopColumn* column : columns) lines.back().push_back(column->value(context, process));
  }
  fmt::print("{}", table(lines));
  return 0;
}

}  // namespace berth::cli
