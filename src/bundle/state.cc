#include "bundle/state.h"

#include <array>
#include <nlohmann/json.hpp>

#include "bundle/config.h"
#include "oci/json.h"

namespace berth::bundle {

namespace {

nlohmann::json to_json(const State& state) {
  nlohmann::json out{{"ociVersion", kNewestVersion},
                     {"id", state.id},
                     {"status", status_name(state.status)},
                     {"bundle", state.bundle}};
  if (state.pid != 0) out["pid"] = state.pid;
  if (!state.annotations.empty()) out["annotations"] = state.annotations;
  return out;
}

}  // namespace

std::string_view status_name(Status status) {
  constexpr std::array<std::string_view, 5> kNames{"creating", "created", "running", "stopped", "paused"};
  return kNames.at(static_cast<size_t>(status));
}

Result<std::string> emit_state(const State& state) {
  return oci::emit_json(to_json(state));
}

Result<std::string> emit_container_process_state(const State& state, int process,
                                                 const std::string& metadata) {
  nlohmann::json out{{"ociVersion", kNewestVersion},
                     {"fds", nlohmann::json::array({"seccompFd"})},
                     {"pid", process},
                     {"state", to_json(state)}};
  if (!metadata.empty()) out["metadata"] = metadata;
  return oci::emit_json(out);
}

}  // namespace berth::bundle
