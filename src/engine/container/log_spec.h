// How a container's log is to be kept: --log-driver and --log-opt.
#pragma once

#include <cstdint>
#include <string>

#include "monitor/log_options.h"

namespace berth::engine {

inline constexpr const char* kLogDriver = "k8s-file";  // what berth writes, whatever it was called
inline constexpr const char* kNoLog = "none";

struct LogSpec {
  std::string driver = kLogDriver;               // as it was asked for: "k8s-file", "json-file", "none"
  uint64_t max_size = monitor::kDefaultLogSize;  // of a file, in bytes; 0: any
  uint32_t max_files = monitor::kDefaultLogFiles;

  [[nodiscard]] monitor::LogOptions options() const { return {driver != kNoLog, max_size, max_files}; }
  bool operator==(const LogSpec&) const = default;
};

}  // namespace berth::engine
