#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <list>
#include <vector>

#include <poll.h>

#include "base/clock.h"
#include "base/fields.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/moment.h"
#include "cli/named_or_latest.h"
#include "cli/times.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/log_reader.h"
#include "monitor/protocol.h"
#include "store/containers.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

struct LogsFlags {
  bool follow = false;
  bool timestamps = false;
  bool names = false;
  bool latest = false;
  std::string since;
  std::string until;
  std::string tail = "all";
  std::vector<std::string> containers;
};

// The times of a log sort as texts, and so do these.
struct Window {
  std::string since;  // empty: from the beginning
  std::string until;  // empty: no end
  std::optional<int64_t> begins;
  std::optional<int64_t> ends;
};

Result<Window> window_of(const LogsFlags& flags) {
  Window window;
  window.begins = TRY(moment_of_flag("--since", flags.since));
  window.ends = TRY(moment_of_flag("--until", flags.until));
  if (window.begins) window.since = rfc3339(std::chrono::nanoseconds(std::max<int64_t>(*window.begins, 0)));
  if (window.ends) window.until = rfc3339(std::chrono::nanoseconds(std::max<int64_t>(*window.ends, 0)));
  return window;
}

// "all" and less than nothing: nullopt.
Result<std::optional<uint64_t>> parse_tail(const std::string& text) {
  if (text == "all") return std::nullopt;
  const auto number = whole_number<int64_t>(text);
  if (!number) return fail(Code::usage, "--tail {}: it is a number of lines, or all", text);
  return *number < 0 ? std::nullopt : std::optional(static_cast<uint64_t>(*number));
}

// One container's log on its way to the standard output and standard error.
class Source {
 public:
  Source(store::ContainerRecord record, engine::LogReader reader, std::string prefix, bool timestamps)
      : record_(std::move(record)),
        reader_(std::move(reader)),
        prefix_(std::move(prefix)),
        timestamps_(timestamps) {}

  // The next entry within the window, until print() has been called; nullptr if there is none at the moment.
  Result<const monitor::LogEntry*> peek(const Window& window) {
    while (!entry_) {
      entry_ = TRY(reader_.next());
      if (!entry_ && is_over_) entry_ = reader_.cut_entry();
      if (!entry_) return nullptr;
      if (!window.until.empty() && entry_->time >= window.until) {
        is_over_ = true;
        entry_.reset();
        return nullptr;
      }
      if (entry_->time < window.since) entry_.reset();
    }
    return &*entry_;
  }

  void print() {
    const bool is_error = entry_->stream == monitor::Stream::error;
    std::FILE* to = is_error ? stderr : stdout;
    bool& continues = continues_[is_error ? 1 : 0];
    if (!continues) {
      std::fwrite(prefix_.data(), 1, prefix_.size(), to);
      if (timestamps_) fmt::print(to, "{} ", entry_->time);
    }
    std::fwrite(entry_->text.data(), 1, entry_->text.size(), to);
    if (!entry_->partial) std::fputc('\n', to);
    continues = entry_->partial;
    entry_.reset();
  }

  [[nodiscard]] bool is_over() const { return is_over_; }
  void end() { is_over_ = true; }
  [[nodiscard]] const store::ContainerRecord& record() const { return record_; }
  engine::LogReader& reader() { return reader_; }

  // It is worth looking again soon.
  [[nodiscard]] bool is_ending(const store::Store& store) const {
    return !waits_ && (engine::exit_record(store, record_.id) || !engine::live_status(store, record_.id));
  }

  // Nobody writes to it any more, and nobody is about to.
  Result<bool> has_ended(store::Store& store) {
    waits_ = false;
    if (engine::live_status(store, record_.id)) {
      gone_since_ = 0;
      return false;
    }
    const Result<store::ContainerRecord> now = store::find_container(store.db(), record_.id);
    if (!now && now.error().code == Code::not_found) return true;
    if (!now) return std::unexpected(now.error());
    // Its policy starts it again, which a person's stop ends in a moment.
    waits_ = now->state == store::kRestarting && !now->stopped_by_user;
    if (waits_) {
      gone_since_ = 0;
      return false;
    }
    if (now->state != store::kRestarting && (now->state != store::kRunning || now->finished_at)) return true;
    // Its end is being put on record.
    constexpr int64_t kPatience = 2 * kNanoseconds;
    const int64_t time = now_nanoseconds();
    if (gone_since_ == 0) gone_since_ = time;
    return time - gone_since_ > kPatience;
  }

 private:
  store::ContainerRecord record_;
  engine::LogReader reader_;
  std::string prefix_;
  bool timestamps_;
  bool continues_[2] = {};  // by stream: its line is not at its end
  bool is_over_ = false;
  bool waits_ = false;  // to be started again
  int64_t gone_since_ = 0;
  std::optional<monitor::LogEntry> entry_;
};

using Sources = std::list<Source>;

Result<> check_has_log(const store::ContainerRecord& record) {
  const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(record.spec));
  if (spec.log.driver != engine::kNoLog) return {};
  Error error = fail(Code::usage, "container {} keeps no log (--log-driver none)", record.name).error();
  return std::unexpected(std::move(error).with_hint("`berth attach` shows what it writes from then on."));
}

Result<Source> open_source(store::Store& store, store::ContainerRecord record, const LogsFlags& flags,
                           const Window& window) {
  TRY(check_has_log(record));
  const std::optional<uint64_t> tail = TRY(parse_tail(flags.tail));
  engine::LogReader reader =
      TRY_CONTEXT(engine::LogReader::open(store, record.id), "container {}", record.name);
  if (tail) {
    TRY(reader.skip_to_tail(*tail));
  } else if (window.begins) {
    TRY(reader.skip_older_than(*window.begins));
  }
  constexpr size_t kShortId = 12;
  // As podman has it, several are told apart.
  std::string prefix;
  if (flags.names) {
    prefix = record.name + " ";
  } else if (flags.containers.size() > 1) {
    prefix = record.id.substr(0, kShortId) + " ";
  }
  return Source(std::move(record), std::move(reader), std::move(prefix), flags.timestamps);
}

// Whatever is there, the earliest of all logs first.
Result<> print_all(Sources& sources, const Window& window) {
  std::FILE* last = nullptr;
  while (true) {
    Source* earliest = nullptr;
    const monitor::LogEntry* entry = nullptr;
    for (Source& source : sources) {
      const monitor::LogEntry* next = TRY(source.peek(window));
      if (next != nullptr && (entry == nullptr || next->time < entry->time)) {
        earliest = &source;
        entry = next;
      }
    }
    // So that the two streams come in their order where they go to one place.
    std::FILE* const to = entry == nullptr                          ? nullptr
                          : entry->stream == monitor::Stream::error ? stderr
                                                                    : stdout;
    if (last != nullptr && to != last && std::fflush(last) != 0)
      return fail_errno(errno, "write the log to its reader");
    if (earliest == nullptr) return {};
    earliest->print();
    last = to;
  }
}

// Waits for one of the logs to go on. False at the window's end.
bool wait(Sources& sources, const Window& window, int timeout_ms) {
  if (window.ends) {
    constexpr int64_t kMillisecond = 1'000'000;
    const int64_t left = (*window.ends - now_nanoseconds()) / kMillisecond + 1;
    if (left <= 0) return false;
    timeout_ms = static_cast<int>(std::min<int64_t>(timeout_ms, left));
  }
  std::vector<pollfd> watched;
  for (Source& source : sources)
    watched.push_back({source.is_over() ? -1 : source.reader().watch().fd(), POLLIN, 0});
  if (::poll(watched.data(), watched.size(), timeout_ms) > 0) {
    for (Source& source : sources) source.reader().watch().take();
  }
  return true;
}

Result<> follow(store::Store& store, Sources& sources, const Window& window) {
  // A monitor that was killed tells nobody of it.
  constexpr int kLookMs = 500;
  constexpr int kEndingMs = 20;
  bool goes_on = true;
  while (goes_on) {
    bool any = false;
    bool ending = false;
    // Asked before the log is read to its end: what an ended container wrote is in it.
    std::vector<Source*> ended;
    for (Source& source : sources) {
      if (source.is_over()) continue;
      if (TRY(source.has_ended(store))) {
        ended.push_back(&source);
      } else {
        any = true;
        ending = ending || source.is_ending(store);
      }
    }
    TRY(print_all(sources, window));
    for (Source* source : ended) source->end();
    TRY(print_all(sources, window));
    const bool all_over =
        std::all_of(sources.begin(), sources.end(), [](const Source& source) { return source.is_over(); });
    goes_on = any && !all_over && wait(sources, window, ending ? kEndingMs : kLookMs);
  }
  return print_all(sources, window);
}

}  // namespace

Result<int> logs(const Invocation& invocation) {
  LogsFlags flags;
  Flags line(invocation, "[flags] CONTAINER [CONTAINER...]",
             "Shows what containers have written, their standard output and standard error apart.\n"
             "With --follow it goes on with what they write, until they end for good. Several logs are "
             "merged by time, and "
             "each line\n"
             "begins with the container's ID, or with --names its name.",
             "  berth logs web\n  berth logs --follow --tail 10 web\n  berth logs --since 10m -t web\n"
             "  berth logs --names web db\n");
  line.flag("-f,--follow", flags.follow, "Go on with what is still to come");
  line.flag("-l,--latest", flags.latest, "The container that was made last");
  line.flag("-n,--names", flags.names, "Put the container's name before each line");
  line.value("--since", flags.since, "Only what was written since: a time, or 10m for ten minutes ago");
  line.value("--tail", flags.tail, "Only so many of the last lines (all, or -1: all)", {.shown = "LINES"});
  line.flag("-t,--timestamps", flags.timestamps, "Put the time before each line");
  line.value("--until", flags.until, "Only what was written until then; -10m is in ten minutes");
  line.words("containers", flags.containers, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (flags.containers.empty() != flags.latest)
    return fail(Code::usage, "berth logs: name containers or give --latest, one of the two");
  const Window window = TRY(window_of(flags));
  // print_all() writes both out.
  constexpr size_t kBuffer = size_t{64} << 10;
  std::setvbuf(stdout, nullptr, _IOFBF, kBuffer);
  std::setvbuf(stderr, nullptr, _IOFBF, kBuffer);
  TRY(parse_tail(flags.tail));
  store::Store store = TRY(open_store(invocation));
  Sources sources;
  for (store::ContainerRecord& record : TRY(named_or_latest(store, flags.containers, flags.latest)))
    sources.push_back(TRY(open_source(store, std::move(record), flags, window)));
  if (flags.follow) {
    TRY(follow(store, sources, window));
    return 0;
  }
  TRY(print_all(sources, window));
  // Nobody completes what a crash has cut.
  for (Source& source : sources) {
    if (!engine::live_status(store, source.record().id)) source.end();
  }
  TRY(print_all(sources, window));
  return 0;
}

}  // namespace berth::cli
