// A config.json to begin with: what `spec` writes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace berth::bundle {

// Of somebody who is not root on the host: a user namespace in which these IDs are root.
struct RootlessIds {
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// A shell at a terminal, in namespaces of its own, with the root file system "rootfs" beside the file, read
// only. Few capabilities, no devices but the standard ones, the host's secrets in proc and sysfs masked. An
// indented document with a newline at its end.
std::string default_config(const std::optional<RootlessIds>& rootless);

}  // namespace berth::bundle
