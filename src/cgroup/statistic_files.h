// The formats of the kernel's statistics files, as pure functions. What a line has that is not expected is
// passed over: kernels add to these files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroup/statistics.h"

namespace berth::cgroup {

// "NAME NUMBER" a line: memory.stat, cpu.stat, memory.events.
std::map<std::string, uint64_t> parse_flat(std::string_view text);

// cpu.pressure and others; nullopt if the text has no line of "some".
std::optional<Pressure> parse_pressure(std::string_view text);

// v2's io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" a line.
void parse_io_stat(std::string_view text, IoStatistics& io);

// v1's "8:0 Read 1" a line; the totals are left out.
std::vector<IoCount> parse_blkio(std::string_view text);

// "mlx5_0 hca_handle=2 hca_object=max" a line.
std::vector<RdmaUsage> parse_rdma(std::string_view current, std::string_view limits);

// Numbers between spaces.
std::vector<uint64_t> parse_numbers(std::string_view text);

}  // namespace berth::cgroup
