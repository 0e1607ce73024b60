#include "runtime_cli/log_file.h"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include "oci/json.h"
#include "sys/file.h"

namespace berth::runtime_cli {

namespace {

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

std::string line_of(const LogTarget& target, const Error& error) {
  const std::string message =
      printable(error.hint.empty() ? error.message : error.message + " (" + error.hint + ")");
  const std::string time = time_text();
  if (target.format == "json") {
    const Result<std::string> line = oci::emit_json({{"level", "error"}, {"msg", message}, {"time", time}});
    if (line) return *line + "\n";
  }
  return fmt::format("time=\"{}\" level=error msg=\"{}\"\n", time, message);
}

}  // namespace

void write_log(const LogTarget& target, const Error& error) {
  if (target.path.empty()) return;
  const Result<sys::UniqueFd> file =
      sys::open_at(AT_FDCWD, target.path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0644);
  if (!file) return;
  [[maybe_unused]] const Result<> written = sys::write_all(file->get(), line_of(target, error));
}

}  // namespace berth::runtime_cli
