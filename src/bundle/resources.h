// What a container may use: `linux.resources` in config.json, and the document of `update` (runtime-spec 1.2,
// config-linux.md, "Control groups"). The values are those of the document; which file of which cgroup
// version they go to is not decided here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::bundle {

struct DeviceRule {
  bool allow = false;
  char type = 'a';                // 'a' all, 'c' character, 'b' block
  std::optional<uint32_t> major;  // none: all of them
  std::optional<uint32_t> minor;
  bool read = true;
  bool write = true;
  bool mknod = true;
};

// Bytes; -1 is without limit.
struct Memory {
  std::optional<int64_t> limit;
  std::optional<int64_t> reservation;
  std::optional<int64_t> swap;  // memory and swap together, hence not below limit
  std::optional<int64_t> kernel;
  std::optional<int64_t> kernel_tcp;
  std::optional<uint64_t> swappiness;  // 0 to 100
  std::optional<bool> disable_oom_killer;
  std::optional<bool> use_hierarchy;
  std::optional<bool> check_before_update;
};

// Times in microseconds.
struct Cpu {
  std::optional<uint64_t> shares;
  std::optional<int64_t> quota;   // negative: without limit
  std::optional<uint64_t> burst;  // at most a positive quota
  std::optional<uint64_t> period;
  std::optional<int64_t> realtime_runtime;
  std::optional<uint64_t> realtime_period;
  std::string cpus;             // a list that parse_cpu_list() reads, or ""
  std::string mems;             // the same, of memory nodes
  std::optional<int64_t> idle;  // 0 or 1
};

struct BlockWeight {
  uint32_t major = 0;
  uint32_t minor = 0;
  std::optional<uint16_t> weight;  // 10 to 1000, as in BlockIo; one of the two is there
  std::optional<uint16_t> leaf_weight;
};

struct BlockRate {
  uint32_t major = 0;
  uint32_t minor = 0;
  uint64_t rate = 0;  // bytes or operations a second; 0 takes the limit away
};

struct BlockIo {
  std::optional<uint16_t> weight;
  std::optional<uint16_t> leaf_weight;
  std::vector<BlockWeight> device_weights;
  std::vector<BlockRate> read_bytes;
  std::vector<BlockRate> write_bytes;
  std::vector<BlockRate> read_operations;
  std::vector<BlockRate> write_operations;
};

struct HugepageLimit {
  std::string page_size;  // "2MB": a part of a file's name, digits and a unit
  uint64_t limit = 0;     // bytes
};

struct InterfacePriority {
  std::string name;  // a name that an interface can have
  uint32_t priority = 0;
};

struct Network {
  std::optional<uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
};

struct RdmaLimit {
  std::string device;
  std::optional<uint32_t> handles;  // one of the two is there
  std::optional<uint32_t> objects;
};

struct Resources {
  std::vector<DeviceRule> devices;  // in the order in which they apply
  Memory memory;
  Cpu cpu;
  std::optional<int64_t> pids_limit;  // negative: without limit; 0 is "not given" in what engines write
  BlockIo block_io;
  std::vector<HugepageLimit> hugepages;
  Network network;
  std::vector<RdmaLimit> rdma;
  std::map<std::string, std::string> unified;  // names of files of cgroup v2, without '/', and their contents
};

// Reads the document of `update --resources`. Code::refused with the place and the value.
Result<Resources> parse_resources(std::string_view text);

}  // namespace berth::bundle
