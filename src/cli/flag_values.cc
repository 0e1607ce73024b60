#include "cli/flag_values.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <fcntl.h>

#include "base/amounts.h"
#include "base/fields.h"
#include "sys/file.h"
#include "sys/signal_names.h"

namespace berth::cli {

namespace {

std::unexpected<Error> bad_value(std::string_view flag, std::string_view text, std::string_view why) {
  return fail(Code::usage, "{} {}: {}", flag, text, why);
}

std::optional<uint64_t> limit_value(std::string_view text) {
  if (text == "-1" || text == "unlimited") return std::numeric_limits<uint64_t>::max();
  return whole_number<uint64_t>(text);
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) parts.emplace_back();
  }
  return parts;
}

Result<uint64_t> parse_size(std::string_view flag, std::string_view text) {
  if (const std::optional<uint64_t> bytes = parse_bytes(text)) return *bytes;
  return bad_value(flag, text, "it is a number of bytes with an optional unit (b, k, m, g), for example 64m");
}

Result<engine::LimitSpec> parse_limit(std::string_view text) {
  constexpr std::string_view kShape = "it is NAME=SOFT[:HARD], for example nofile=1024:2048";
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad_value("--ulimit", text, kShape);
  const std::vector<std::string> values = split(text.substr(equals + 1), ':');
  if (values.empty() || values.size() > 2) return bad_value("--ulimit", text, kShape);
  const std::optional<uint64_t> soft = limit_value(values.front());
  const std::optional<uint64_t> hard = limit_value(values.back());
  if (!soft || !hard) return bad_value("--ulimit", text, kShape);
  if (*soft > *hard) return bad_value("--ulimit", text, "the soft limit is above the hard one");
  return engine::LimitSpec{std::string(text.substr(0, equals)), *soft, *hard};
}

Result<engine::Pair> parse_pair(std::string_view flag, std::string_view text) {
  const size_t equals = text.find('=');
  if (text.empty() || equals == 0) return bad_value(flag, text, "it is KEY=VALUE");
  if (equals == std::string_view::npos) return engine::Pair{std::string(text), ""};
  return engine::Pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<std::vector<engine::Pair>> parse_environment(const std::vector<std::string>& values) {
  std::vector<engine::Pair> result;
  for (const std::string& text : values) {
    engine::Pair pair = TRY(parse_pair("--env", text));
    if (text.find('=') == std::string::npos) {
      const char* own = std::getenv(text.c_str());
      if (own == nullptr) continue;
      pair.value = own;
    }
    result.push_back(std::move(pair));
  }
  return result;
}

Result<std::vector<engine::Pair>> read_environment_file(const std::string& path) {
  constexpr size_t kLargest = 1U << 20;
  const std::string text = TRY_CONTEXT(sys::read_file_at(AT_FDCWD, path, kLargest), "--env-file {}", path);
  if (text.find('\0') != std::string::npos)
    return fail(Code::usage, "--env-file {}: it holds a NUL byte", path);
  std::vector<std::string> lines;
  for (std::string line : split(text, '\n')) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    lines.push_back(line.substr(begin));
  }
  return TRY_CONTEXT(parse_environment(lines), "--env-file {}", path);
}

Result<engine::DeviceSpec> parse_device(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  constexpr std::string_view kShape = "it is HOST[:CONTAINER][:rwm]";
  if (parts.empty() || parts.size() > 3 || !parts[0].starts_with('/'))
    return bad_value("--device", text, kShape);
  engine::DeviceSpec device{parts[0], parts[0]};
  const auto is_access = [](const std::string& part) {
    return !part.empty() && part.find_first_not_of("rwm") == std::string::npos;
  };
  if (parts.size() >= 2 && !(parts.size() == 2 && is_access(parts[1]))) device.target = parts[1];
  if (parts.size() == 3 && !is_access(parts[2])) return bad_value("--device", text, kShape);
  return device;
}

Result<int> parse_signal(std::string_view text) {
  if (const std::optional<int> signal = sys::signal_number(text)) return *signal;
  return bad_value("signal", text, "there is no such signal");
}

}  // namespace berth::cli
