#include "lifecycle/document.h"

#include <vector>

#include <fcntl.h>

#include "base/log.h"
#include "sys/file.h"

namespace berth::lifecycle {

namespace {

// A pipe that nobody writes to is an empty file.
Result<std::string> read_text(const std::string& path) {
  const sys::UniqueFd file = TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK));
  return TRY_CONTEXT(sys::read_all(file.get(), bundle::kMaxConfigBytes), "{}", path);
}

void tell(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) log::warn("{}", warning);
}

}  // namespace

Result<bundle::Config> read_config(const std::string& path) {
  const std::string text = TRY(read_text(path));
  bundle::ParsedConfig parsed = TRY(bundle::parse_config(text));
  tell(parsed.warnings);
  return std::move(parsed.config);
}

Result<bundle::Process> read_process(const std::string& path) {
  const std::string text = TRY(read_text(path));
  bundle::ParsedProcess parsed = TRY_CONTEXT(bundle::parse_process(text), "--process {}", path);
  tell(parsed.warnings);
  return std::move(parsed.process);
}

}  // namespace berth::lifecycle
