#include "engine/container/restart_spec.h"

#include <nlohmann/json.hpp>

#include "base/fields.h"

namespace berth::engine {

Result<RestartSpec> parse_restart_policy(std::string_view text) {
  constexpr std::string_view kOnFailure = "on-failure";
  RestartSpec spec;
  const size_t colon = text.find(':');
  const std::string_view policy = text.substr(0, colon);
  spec.policy = policy;
  const bool known =
      policy == "no" || policy == kOnFailure || policy == "always" || policy == "unless-stopped";
  if (!known)
    return fail(Code::usage, "--restart {}: it is no, on-failure[:TIMES], always or unless-stopped", text);
  if (colon == std::string_view::npos) return spec;
  const std::optional<uint32_t> most = whole_number<uint32_t>(text.substr(colon + 1));
  if (policy != kOnFailure || !most)
    return fail(Code::usage, "--restart {}: only on-failure is followed by a number of times", text);
  spec.most = *most;
  return spec;
}

void to_json(nlohmann::json& document, const RestartSpec& spec) {
  document = {{"policy", spec.policy}, {"most", spec.most}};
  if (spec.stop_timeout) document["stop_timeout"] = *spec.stop_timeout;
}

void from_json(const nlohmann::json& document, RestartSpec& spec) {
  spec.policy = document.value("policy", spec.policy);
  spec.most = document.value("most", spec.most);
  if (document.contains("stop_timeout")) spec.stop_timeout = document.at("stop_timeout").get<uint64_t>();
}

}  // namespace berth::engine
