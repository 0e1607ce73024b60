// The value of a flag, by the input's first byte: what is accepted is in its bounds, and the record of a
// container that has it says the same when it is read again.
#include "cli/flag_values.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_mount(const Result<engine::MountSpec>& mount, std::string_view type) {
  if (!mount) return;
  require(mount->target.starts_with('/'));
  require(type.empty() || mount->type == type);
  require(mount->type == "bind" || mount->type == "volume" || mount->type == "tmpfs");
  if (mount->type == "bind") require(mount->source.starts_with('/'));
  if (mount->type == "tmpfs") require(mount->source.empty());
  // A volume's name is the name of its directory.
  if (mount->type == "volume") require(mount->source.find('/') == std::string::npos && mount->source != "..");
  engine::ContainerSpec spec;
  spec.mounts.push_back(*mount);
  const auto record = engine::to_json(spec);
  if (!record) return;
  const auto again = engine::container_spec_from_json(*record);
  require(again && again->mounts.size() == 1);
  require(again->mounts[0].source == mount->source && again->mounts[0].target == mount->target);
  require(again->mounts[0].options == mount->options && again->mounts[0].read_only == mount->read_only);
}

void check_pair(std::string_view text) {
  const auto pair = cli::parse_pair("--label", text);
  if (!pair) return;
  require(!pair->key.empty() && pair->key.find('=') == std::string::npos);
  require(pair->key + "=" + pair->value == text || (pair->key == text && pair->value.empty()));
}

void check_limit(std::string_view text) {
  const auto limit = cli::parse_limit(text);
  if (limit) require(!limit->name.empty() && limit->soft <= limit->hard);
}

void check_size(std::string_view text) {
  const auto size = cli::parse_size("--shm-size", text);
  if (size) require(cli::parse_size("--shm-size", std::to_string(*size)).value() == *size);
}

void check_split(std::string_view text) {
  std::string joined;
  for (const std::string& part : cli::split(text, ',')) joined += part + ",";
  require(text.empty() ? joined.empty() : joined == std::string(text) + ",");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'v':
      check_mount(cli::parse_volume(text), "");
      break;
    case 'm':
      check_mount(cli::parse_mount(text), "");
      break;
    case 't':
      check_mount(cli::parse_tmpfs(text), "tmpfs");
      break;
    case 'd':
      if (const auto device = cli::parse_device(text)) require(device->source.starts_with('/'));
      break;
    case 's':
      if (const auto signal = cli::parse_signal(text)) require(*signal >= 1 && *signal <= 64);
      break;
    case 'p':
      check_pair(text);
      break;
    case 'l':
      check_limit(text);
      break;
    case 'b':
      check_size(text);
      break;
    default:
      check_split(text);
  }
  return 0;
}
