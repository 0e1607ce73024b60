#include <fcntl.h>

#include "cli/containers.h"
#include "cli/flags.h"
#include "engine/container/status.h"
#include "monitor/protocol.h"
#include "store/containers.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

struct Entry {
  std::string_view time;
  bool error = false;
  bool partial = false;
  std::string_view text;
};

// "<time> stdout|stderr F|P <text>" (monitor/log_file.h). The log is berth's own; a line cut by a crash is
// shown as far as it goes.
std::optional<Entry> parse_entry(std::string_view line) {
  const size_t stream = line.find(' ');
  const size_t flag = stream == std::string_view::npos ? stream : line.find(' ', stream + 1);
  if (flag == std::string_view::npos || flag + 3 > line.size()) return std::nullopt;
  return Entry{line.substr(0, stream), line.substr(stream + 1, flag - stream - 1) == "stderr",
               line[flag + 1] == 'P', line.substr(std::min(flag + 3, line.size()))};
}

class Printer {
 public:
  explicit Printer(bool timestamps) : timestamps_(timestamps) {}

  void print(const Entry& entry) {
    std::FILE* to = entry.error ? stderr : stdout;
    bool& continues = entry.error ? error_continues_ : output_continues_;
    if (timestamps_ && !continues) fmt::print(to, "{} ", entry.time);
    std::fwrite(entry.text.data(), 1, entry.text.size(), to);
    if (!entry.partial) std::fputc('\n', to);
    continues = entry.partial;
  }

 private:
  bool timestamps_;
  bool output_continues_ = false;
  bool error_continues_ = false;
};

// Where the last `count` whole lines of the log begin.
size_t tail_start(std::string_view log, size_t count) {
  size_t at = log.size();
  while (at > 0) {
    const size_t before = at < 2 ? std::string_view::npos : log.rfind('\n', at - 2);
    const size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::optional<Entry> entry = parse_entry(log.substr(begin, at - begin));
    // A partial entry belongs to the line whose end follows it.
    if (!entry || !entry->partial || at == log.size()) {
      if (count == 0) return at;
      --count;
    }
    at = begin;
  }
  return 0;
}

}  // namespace

Result<int> logs(const Invocation& invocation) {
  bool timestamps = false;
  std::optional<int64_t> tail;
  std::string name;
  Flags line(invocation, "[flags] CONTAINER",
             "Shows what a container has written, its standard output and standard error apart.",
             "  berth logs job\n  berth logs --tail 10 -t job\n");
  line.flag("-t,--timestamps", timestamps, "Put the time before each line");
  line.value("--tail,-n", tail, "Only the last lines (-1: all)");
  line.word("container", name, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  constexpr size_t kLargest = size_t{1} << 30;
  const Result<std::string> log = sys::read_file_at(
      store.root(), engine::container_directory(record.id) + "/" + monitor::kLogFile, kLargest);
  if (!log && log.error().err == ENOENT) return 0;  // it never ran
  if (!log) return std::unexpected(log.error());
  std::string_view rest = *log;
  if (tail && *tail >= 0) rest.remove_prefix(tail_start(rest, static_cast<size_t>(*tail)));
  Printer printer(timestamps);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (const std::optional<Entry> entry = parse_entry(rest.substr(0, end))) printer.print(*entry);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return 0;
}

}  // namespace berth::cli
