#include "cli/events.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "base/clock.h"
#include "base/fields.h"
#include "cli/event_feed.h"
#include "cli/event_filters.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/moment.h"
#include "cli/template.h"
#include "cli/times.h"
#include "events/events.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

struct EventFlags {
  std::vector<std::string> filters;
  std::string since;
  std::string until;
  std::string format;
  bool stream = true;
  bool no_trunc = true;
};

// "2026-01-31 12:00:00.123456789 +0000 UTC", as Go prints a time.
std::string local_text(int64_t nanoseconds) {
  const time_t seconds = nanoseconds / kNanoseconds;
  tm parts{};
  ::localtime_r(&seconds, &parts);
  const auto part = [&](const char* format) {
    std::array<char, 64> text{};
    return std::string(text.data(), ::strftime(text.data(), text.size(), format, &parts));
  };
  return fmt::format("{}.{:09} {}", part("%Y-%m-%d %H:%M:%S"), nanoseconds % kNanoseconds, part("%z %Z"));
}

std::string shown_id(const PastEvent& event, bool whole) {
  constexpr size_t kShort = 12;
  return whole || event.type == "volume" ? event.id : event.id.substr(0, kShort);
}

// podman's fields.
Json describe(const PastEvent& event, bool whole) {
  Json row{{"ID", shown_id(event, whole)},
           {"Image", event.image},
           {"Name", event.name},
           {"Status", event.action},
           {"Time", rfc3339(std::chrono::nanoseconds(event.time))},
           {"TimeNano", event.time},
           {"Type", event.type},
           {"Attributes", event.attributes.empty() ? Json(Json::object()) : Json(event.attributes)}};
  const auto attribute = [&](std::string_view key) {
    const auto found = event.attributes.find(std::string(key));
    return found == event.attributes.end() ? std::string() : found->second;
  };
  row["ContainerExitCode"] = whole_number<int>(attribute(events::kExitCode)).value_or(0);
  row["HealthStatus"] = attribute(events::kHealth);
  return row;
}

// "<time> container died <id> (image=…, name=…, key=value)".
std::string text_line(const PastEvent& event, bool whole) {
  std::vector<std::string> about;
  if (!event.image.empty()) about.push_back("image=" + event.image);
  if (!event.name.empty()) about.push_back("name=" + event.name);
  for (const auto& [key, value] : event.attributes) about.push_back(key + "=" + value);
  const std::string details = about.empty() ? "" : fmt::format(" ({})", fmt::join(about, ", "));
  return printable(fmt::format("{} {} {} {}{}", local_text(event.time), event.type, event.action,
                               shown_id(event, whole), details));
}

class Printer {
 public:
  static Result<Printer> make(const EventFlags& flags) {
    Printer printer;
    printer.whole_ = flags.no_trunc;
    printer.json_ = flags.format == "json";
    if (!flags.format.empty() && !printer.json_) printer.template_ = TRY(Template::parse(flags.format));
    return printer;
  }

  Result<> print(const PastEvent& event) const {
    if (template_) {
      fmt::print("{}\n", printable(TRY(template_->expand(describe(event, whole_)))));
    } else if (json_) {
      fmt::print("{}\n", json_text(describe(event, whole_), -1));
    } else {
      fmt::print("{}\n", text_line(event, whole_));
    }
    return {};
  }

 private:
  bool whole_ = true;
  bool json_ = false;
  std::optional<Template> template_;
};

struct Window {
  std::optional<int64_t> since;
  std::optional<int64_t> until;

  [[nodiscard]] bool has(const PastEvent& event) const {
    return (!since || event.time >= *since) && (!until || event.time < *until);
  }
  // Milliseconds until it closes; -1: never.
  [[nodiscard]] int left() const {
    constexpr int64_t kMillisecond = 1'000'000;
    constexpr int64_t kMost = int64_t{3600} * 1000;
    if (!until) return -1;
    return static_cast<int>(std::clamp<int64_t>((*until - now_nanoseconds()) / kMillisecond + 1, 0, kMost));
  }
  [[nodiscard]] bool is_over() const { return until && now_nanoseconds() >= *until; }
};

Result<> show(EventFeed& feed, const EventFilters& filters, const Window& window, const Printer& printer,
              bool stream) {
  while (true) {
    const bool over = window.is_over();
    while (const std::optional<PastEvent> event = TRY(feed.next())) {
      if (window.has(*event) && filters.pass(*event)) TRY(printer.print(*event));
    }
    if (std::fflush(stdout) != 0) return fail_errno(errno, "write to standard output");
    if (!stream || over) return {};
    [[maybe_unused]] const bool more = feed.wait(window.left());
  }
}

}  // namespace

Result<int> events(const Invocation& invocation) {
  EventFlags flags;
  Flags line(invocation, "[flags]",
             "Shows what happens to containers, images, volumes and networks, as it happens: since its own "
             "start, or since\n"
             "the time that --since names.",
             "  berth events\n  berth events --since 1h --stream=false\n"
             "  berth events --filter event=died --format '{{.Name}} {{.ContainerExitCode}}'\n");
  line.list("-f,--filter", flags.filters,
            "type=, event=, container=, image=, volume=, network=, name= or label=");
  line.value("--format", flags.format, "json, or a template: \"{{.Name}} {{.Status}}\"");
  line.flag("--no-trunc,!--trunc", flags.no_trunc, "Whole IDs (the default)");
  line.value("--since", flags.since,
             "Begin with the events of this time: a time, or 10m for ten minutes ago");
  line.flag("--stream,!--no-stream", flags.stream, "Go on with what is still to come (the default)");
  line.value("--until", flags.until, "End with the events of this time; -10m is in ten minutes");
  if (!TRY(line.parse())) return 0;
  const EventFilters filters = TRY(EventFilters::parse(flags.filters));
  const Printer printer = TRY(Printer::make(flags));
  const Window window{TRY(moment_of_flag("--since", flags.since)),
                      TRY(moment_of_flag("--until", flags.until))};
  const store::Store store = TRY(open_store(invocation));
  const bool only_new = flags.stream && !window.since && !window.until;
  EventFeed feed = TRY(EventFeed::open(store, only_new ? EventFeed::From::now : EventFeed::From::beginning));
  TRY(show(feed, filters, window, printer, flags.stream));
  return 0;
}

}  // namespace berth::cli
