// Diagnostics on stderr, for `--log-level`. Results and errors do not go through here.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace berth::log {

enum class Level { error, warn, info, debug };

// "error", "warning", "info", "debug".
std::string_view level_name(Level level);

// The process's level; warn until set. Single-threaded set-up, read from anywhere afterwards.
void set_level(Level level);
[[nodiscard]] Level level();
// "error", "warn" (or "warning"), "info", "debug"; false for anything else, which leaves the level as it was.
bool set_level(std::string_view name);

// What messages begin with; "berth" until set. The text must live as long as the process.
void set_program(std::string_view name);

// Gets every message, in place of stderr. nullptr: stderr, as until set. A process that was forked must set
// it anew, or to nullptr, before it gives up the descriptors that the sink may write to.
using Sink = void (*)(Level level, std::string_view message);
void set_sink(Sink sink);

// Writes "<program>: <level>: <message>\n" to stderr in one write.
void write(Level level, std::string_view message);

template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (level() >= Level::warn) write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (level() >= Level::info) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (level() >= Level::debug) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace berth::log
