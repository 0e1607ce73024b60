#include "engine/container/space_spec.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

namespace berth::engine {

namespace {

constexpr std::string_view kContainer = "container:";

Result<> check(std::string_view flag, std::string_view mode, std::span<const std::string_view> words) {
  const bool known = mode.empty() || std::find(words.begin(), words.end(), mode) != words.end();
  if (known || !container_of_space(mode).empty()) return {};
  return fail(Code::usage, "{} {}: it is {} or container:NAME", flag, mode, fmt::join(words, ", "));
}

}  // namespace

void to_json(nlohmann::json& document, const SpaceSpec& spec) {
  document = {{"pid", spec.pid}, {"ipc", spec.ipc}};
}

void from_json(const nlohmann::json& document, SpaceSpec& spec) {
  spec.pid = document.value("pid", std::string());
  spec.ipc = document.value("ipc", std::string());
}

Result<> check_spaces(const SpaceSpec& spec) {
  constexpr std::array<std::string_view, 2> kPid{"private", kHostSpace};
  constexpr std::array<std::string_view, 4> kIpc{"private", "shareable", kNoIpc, kHostSpace};
  TRY(check("--pid", spec.pid, kPid));
  return check("--ipc", spec.ipc, kIpc);
}

std::string_view container_of_space(std::string_view mode) {
  return mode.starts_with(kContainer) ? mode.substr(kContainer.size()) : std::string_view();
}

}  // namespace berth::engine
