// The values of flags, as text from a person, into what the engine takes. Pure but for the files that a value
// names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/container/container_spec.h"

namespace berth::cli {

// "64m", "1g", "512", "10kb": bytes, units of 1024.
Result<uint64_t> parse_size(std::string_view flag, std::string_view text);

// "nofile=1024:2048", "core=-1", "nproc=100".
Result<engine::LimitSpec> parse_limit(std::string_view text);

// "key=value"; "key" alone gives an empty value. The key is not empty.
Result<engine::Pair> parse_pair(std::string_view flag, std::string_view text);

// -e: "NAME=VALUE", or "NAME" to pass on the caller's own (nothing if it has none).
Result<std::vector<engine::Pair>> parse_environment(const std::vector<std::string>& values);
// --env-file: a NAME=VALUE or NAME a line, # for comments.
Result<std::vector<engine::Pair>> read_environment_file(const std::string& path);

// --device: "/dev/fuse", "/dev/fuse:/dev/x", "/dev/fuse:/dev/x:rwm".
Result<engine::DeviceSpec> parse_device(std::string_view text);

// -v: "SOURCE:TARGET[:OPTIONS]", or "TARGET" for a volume without a name (`name` is then made up by the
// caller).
Result<engine::MountSpec> parse_volume(std::string_view text);
// --mount: "type=bind,source=…,target=…,ro,…".
Result<engine::MountSpec> parse_mount(std::string_view text);
// --tmpfs: "TARGET[:OPTIONS]".
Result<engine::MountSpec> parse_tmpfs(std::string_view text);

// A signal as a number (1 to 64), "TERM" or "SIGTERM".
Result<int> parse_signal(std::string_view text);

// The parts between separators; an empty text has none.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace berth::cli
