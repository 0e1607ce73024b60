#include "base/log.h"

#include <string>

#include <unistd.h>

#include "base/error.h"

namespace berth::log {

namespace {
Level current = Level::warn;
std::string_view program = "berth";
Sink sink = nullptr;
}  // namespace

std::string_view level_name(Level level) {
  switch (level) {
    case Level::error:
      return "error";
    case Level::warn:
      return "warning";
    case Level::info:
      return "info";
    case Level::debug:
      return "debug";
  }
  return "error";
}

void set_level(Level level) {
  current = level;
}
Level level() {
  return current;
}

bool set_level(std::string_view name) {
  for (const Level candidate : {Level::error, Level::warn, Level::info, Level::debug}) {
    if (name == level_name(candidate)) {
      current = candidate;
      return true;
    }
  }
  if (name == "warn") {
    current = Level::warn;
    return true;
  }
  return false;
}

void set_program(std::string_view name) {
  program = name;
}

void set_sink(Sink new_sink) {
  sink = new_sink;
}

void write(Level level, std::string_view message) {
  if (sink != nullptr) {
    sink(level, message);
    return;
  }
  const std::string line = fmt::format("{}: {}: {}\n", program, level_name(level), printable(message));
  // A diagnostic that can't be written has nowhere else to go.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace berth::log
