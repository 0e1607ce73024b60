#include "runtime_cli/log_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "oci/json.h"
#include "sys/file.h"

namespace berth::runtime_cli {

namespace {

struct OpenLog {
  sys::UniqueFd file;
  bool json = false;
  pid_t owner = 0;  // children do not write: the number may be another file's there
};
OpenLog& open_file() {
  static OpenLog log;
  return log;
}

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string line_of(bool json, log::Level level, std::string_view text) {
  const std::string message = printable(text);
  const std::string time = time_text();
  const std::string_view name = log::level_name(level);
  if (json) {
    const Result<std::string> line = oci::emit_json({{"level", name}, {"msg", message}, {"time", time}});
    if (line) return *line + "\n";
  }
  return fmt::format("time=\"{}\" level={} msg={}\n", time, name, in_quotes(message));
}

// Whether it is in the file now.
bool append(log::Level level, std::string_view message) {
  const OpenLog& log = open_file();
  if (!log.file || log.owner != ::getpid()) return false;
  return sys::write_all(log.file.get(), line_of(log.json, level, message)).has_value();
}

void append_or_show(log::Level level, std::string_view message) {
  if (append(level, message)) return;
  const std::string line = fmt::format("berth-runtime: {}: {}\n", log::level_name(level), printable(message));
  std::fputs(line.c_str(), stderr);  // fmt::print() would throw where it can't be written to
}

// The kind of an error as engines look for it in the text, letter by letter: Docker's client gives status 127
// for the first and 126 for the second, and 125 (the engine's own failure) for all that it does not know.
std::string_view known_words(const Error& error) {
  if (error.code == Code::command_not_found) return ": executable file not found";
  if (error.code == Code::not_executable && (error.err == EACCES || error.err == EISDIR)) {
    return ": permission denied";
  }
  return {};
}

}  // namespace

void open_log(const LogTarget& target) {
  if (target.path.empty()) return;
  Result<sys::UniqueFd> file =
      sys::open_at(AT_FDCWD, target.path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY, 0644);
  if (!file) {
    log::warn("--log: {}", file.error().message);
    return;
  }
  open_file() = {std::move(*file), target.format == "json", ::getpid()};
  log::set_sink(append_or_show);
}

void log_error(const Error& error) {
  const std::string hint = error.hint.empty() ? "" : fmt::format(" ({})", error.hint);
  append(log::Level::error, fmt::format("{}{}{}", error.message, known_words(error), hint));
}

}  // namespace berth::runtime_cli
