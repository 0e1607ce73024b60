// The flags of `update` as the document that --resources names. Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "bundle/resources.h"

namespace berth::runtime_cli {

enum class ValueKind { number, bytes, text };

struct UpdateFlag {
  std::string_view name;  // "--memory"
  ValueKind kind = ValueKind::number;
  std::string_view object;  // below linux.resources: "memory"
  std::string_view member;  // "limit"
  std::string_view help;
};

inline constexpr std::array<UpdateFlag, 15> kUpdateFlags{{
    {"--memory", ValueKind::bytes, "memory", "limit", "Memory; -1 is without limit"},
    {"--memory-reservation", ValueKind::bytes, "memory", "reservation", "Memory that is left to it"},
    {"--memory-swap", ValueKind::bytes, "memory", "swap", "Memory and swap together; -1 is without limit"},
    {"--kernel-memory-tcp", ValueKind::bytes, "memory", "kernelTCP", "Buffers of TCP (cgroup v1)"},
    {"--cpu-share", ValueKind::number, "cpu", "shares", "Share of the processors' time, against others"},
    {"--cpu-quota", ValueKind::number, "cpu", "quota", "Microseconds in each period; -1 is without limit"},
    {"--cpu-period", ValueKind::number, "cpu", "period", "Microseconds of a period"},
    {"--cpu-burst", ValueKind::number, "cpu", "burst", "Microseconds that may be saved up"},
    {"--cpu-rt-runtime", ValueKind::number, "cpu", "realtimeRuntime", "Real-time microseconds (cgroup v1)"},
    {"--cpu-rt-period", ValueKind::number, "cpu", "realtimePeriod", "Of a period of those (cgroup v1)"},
    {"--cpu-idle", ValueKind::number, "cpu", "idle", "1: only when nobody else wants to run"},
    {"--cpuset-cpus", ValueKind::text, "cpu", "cpus", "Processors to run on, such as 0-3,7"},
    {"--cpuset-mems", ValueKind::text, "cpu", "mems", "Memory nodes to use"},
    {"--blkio-weight", ValueKind::number, "blockIO", "weight", "10 to 1000, against others"},
    {"--pids-limit", ValueKind::number, "pids", "limit", "Processes; -1 is without limit"},
}};

// What was given for each of kUpdateFlags, in their order. Code::usage for what is no number or size, and
// Code::refused, as for the document, for values that are not allowed.
using UpdateValues = std::array<std::optional<std::string>, kUpdateFlags.size()>;
Result<bundle::Resources> resources_of(const UpdateValues& values);

}  // namespace berth::runtime_cli
