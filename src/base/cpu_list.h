// Lists of CPUs and memory nodes as cpuset(7) has them: "0-3,7".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace berth {

struct CpuRange {
  uint32_t first = 0;
  uint32_t last = 0;  // not below first
  friend bool operator==(const CpuRange&, const CpuRange&) = default;
};
using CpuList = std::vector<CpuRange>;

// Higher numbers are refused: no kernel is built for more.
inline constexpr uint32_t kLastCpu = 8191;

// nullopt if it is not such a list. "" is the empty one.
std::optional<CpuList> parse_cpu_list(std::string_view text);

}  // namespace berth
