// An image's configuration: what it was made for, how to run it, and the digests of its unpacked layers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace berth::oci {

inline constexpr size_t kMaxConfigBytes = 4UL << 20;

// Docker's extension of the configuration. Durations in nanoseconds; 0 is the engine's default.
struct Healthcheck {
  std::vector<std::string> test;  // empty: inherited; "NONE"; "CMD", args…; "CMD-SHELL", command
  int64_t interval = 0;
  int64_t timeout = 0;
  int64_t start_period = 0;
  int64_t retries = 0;
};

// One step of how the image was made.
struct HistoryEntry {
  std::string created;  // RFC 3339
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;  // the step made no layer
};

// image-spec, config.md. Missing members are empty; null and empty lists are the same, as for every engine.
// The exact bytes, which the image's ID is the digest of, are kept by whoever needs them, not here.
struct ImageConfig {
  Platform platform;
  std::string created;  // RFC 3339
  std::string author;

  std::string user;
  std::vector<std::string> env;  // "NAME=VALUE"
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string working_dir;
  std::vector<std::string> volumes;        // paths
  std::vector<std::string> exposed_ports;  // "80/tcp"
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::vector<std::string> shell;
  std::vector<std::string> on_build;
  std::optional<Healthcheck> healthcheck;

  std::vector<Digest> diff_ids;  // of the uncompressed tars; [0] is the lowest
  std::vector<HistoryEntry> history;
};

// Code::refused with the place in the document. The history is a
// record for people: it is not checked against the layers.
Result<ImageConfig> parse_image_config(std::string_view bytes);

// The document for an image that berth makes. Code::refused where a text is not UTF-8.
Result<std::string> emit_image_config(const ImageConfig& config);

}  // namespace berth::oci
