// --pid and --ipc: whose PID and IPC namespaces a container has.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

struct SpaceSpec {
  std::string pid;  // "" or "private", "host", "container:NAME" (once the container is made, with the ID)
  std::string ipc;  // likewise; "shareable" is "private", and "none" is so without a /dev/shm
  bool operator==(const SpaceSpec&) const = default;
};

void to_json(nlohmann::json& document, const SpaceSpec& spec);
void from_json(const nlohmann::json& document, SpaceSpec& spec);

// Code::usage for what podman does not know either.
Result<> check_spaces(const SpaceSpec& spec);

// NAME of "container:NAME"; empty where it is something else.
std::string_view container_of_space(std::string_view mode);

inline constexpr const char* kHostSpace = "host";
inline constexpr const char* kNoIpc = "none";

}  // namespace berth::engine
