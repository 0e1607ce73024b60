#include "cli/health_flags.h"

#include <chrono>

#include "base/duration.h"
#include "engine/container/container_spec.h"

namespace berth::cli {

namespace {

// A line for the shell, or a JSON array of words; "none" switches the image's check off.
Result<std::vector<std::string>> test_of(const std::string& text) {
  if (text == "none") return std::vector<std::string>{"NONE"};
  if (text.empty()) return fail(Code::usage, "--health-cmd: there is no command");
  if (text.front() != '[') return std::vector<std::string>{"CMD-SHELL", text};
  std::vector<std::string> words = TRY_CONTEXT(engine::words_from_json(text), "--health-cmd {}", text);
  if (words.empty()) return fail(Code::usage, "--health-cmd {}: there is no command", text);
  if (words.front() != "CMD" && words.front() != "CMD-SHELL" && words.front() != "NONE")
    words.insert(words.begin(), "CMD");
  return words;
}

// In nanoseconds; 0 where nothing was said.
Result<int64_t> span(std::string_view flag, const std::string& text) {
  if (text.empty()) return 0;
  const auto parsed = parse_duration(text);
  if (!parsed) return fail(Code::usage, "{} {}: it is a time like 30s, 1m30s or 500ms", flag, text);
  return std::chrono::nanoseconds(*parsed).count();
}

// The same where it has to be some time.
Result<int64_t> some_span(std::string_view flag, const std::string& text) {
  const int64_t parsed = TRY(span(flag, text));
  if (!text.empty() && parsed == 0) return fail(Code::usage, "{} {}: it must be 1ms at least", flag, text);
  return parsed;
}

}  // namespace

void add_health_flags(Flags& line, HealthFlags& flags) {
  line.heading("Health");
  line.value("--health-cmd", flags.command, "A line for the shell, or a JSON array of words; none: no check",
             {.shown = "COMMAND"});
  line.value("--health-interval", flags.interval, "Between two checks (30s); disable: only by hand",
             {.shown = "TIME"});
  line.value("--health-timeout", flags.timeout, "A check that takes longer has failed (30s)",
             {.shown = "TIME"});
  line.value("--health-retries", flags.retries, "So many failures in a row mean unhealthy (3)");
  line.value("--health-start-period", flags.start_period, "Failures count only after it (0s)",
             {.shown = "TIME"});
  line.value("--health-on-failure", flags.on_failure,
             "What happens to an unhealthy container: none (default), "
             "kill, restart or stop",
             {.choices = {"none", "kill", "restart", "stop"}});
  line.flag("--no-healthcheck", flags.none, "No check, whatever the image says");
}

Result<engine::HealthSpec> health_spec(const HealthFlags& flags) {
  engine::HealthSpec spec;
  if (flags.none && flags.command)
    return fail(Code::usage, "--no-healthcheck and --health-cmd exclude each other");
  if (flags.none) spec.test = {"NONE"};
  if (flags.command) spec.test = TRY(test_of(*flags.command));
  spec.by_hand = flags.interval == "disable";
  if (!spec.by_hand) spec.interval = TRY(some_span("--health-interval", flags.interval));
  spec.timeout = TRY(some_span("--health-timeout", flags.timeout));
  spec.start_period = TRY(span("--health-start-period", flags.start_period));
  if (flags.retries && *flags.retries < 1)
    return fail(Code::usage, "--health-retries {}: it must be 1 at least", *flags.retries);
  spec.retries = flags.retries.value_or(0);
  spec.on_failure = flags.on_failure;
  return spec;
}

}  // namespace berth::cli
