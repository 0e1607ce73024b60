#include "cgroup/limit_planner.h"

namespace berth::cgroup {

namespace {

constexpr uint16_t kLeastWeight = 10;
constexpr uint16_t kMostWeight = 1000;

std::optional<uint16_t> given(std::optional<uint16_t> value) {
  return value == 0 ? std::nullopt : value;
}

Result<> check_weight(std::optional<uint16_t> weight, std::string_view limit) {
  if (!given(weight) || (*weight >= kLeastWeight && *weight <= kMostWeight)) return {};
  return refuse_limit(limit, fmt::format("{} is not {} to {}", *weight, kLeastWeight, kMostWeight));
}

struct Throttle {
  const std::vector<DeviceRate>& rates;
  const char* v1_file;
  const char* v2_key;
  const char* limit;
};

std::vector<Throttle> throttles(const BlockIoLimits& limits) {
  return {
      {limits.throttle_read_bps, "blkio.throttle.read_bps_device", "rbps", "blockIO.throttleReadBpsDevice"},
      {limits.throttle_write_bps, "blkio.throttle.write_bps_device", "wbps",
       "blockIO.throttleWriteBpsDevice"},
      {limits.throttle_read_iops, "blkio.throttle.read_iops_device", "riops",
       "blockIO.throttleReadIOPSDevice"},
      {limits.throttle_write_iops, "blkio.throttle.write_iops_device", "wiops",
       "blockIO.throttleWriteIOPSDevice"},
  };
}

Result<> demand_weights(const LimitPlanner& planner, std::string_view limit) {
  if (planner.facts().weight || planner.facts().bfq_weight) return {};
  Error error{Code::failed,
              0,
              fmt::format("linux.resources.{}: this kernel has no weights for block devices", limit),
              {}};
  return std::unexpected(
      std::move(error).with_hint("They are a matter of the I/O scheduler bfq (CONFIG_BFQ_GROUP_IOSCHED), "
                                 "on cgroup v2 also of CONFIG_BLK_CGROUP_IOCOST."));
}

Result<> plan_v1_weights(const BlockIoLimits& limits, LimitPlanner& planner) {
  const bool bfq = planner.facts().bfq_weight;
  if (const auto weight = given(limits.weight)) {
    TRY(demand_weights(planner, "blockIO.weight"));
    planner.write("blkio", bfq ? "blkio.bfq.weight" : "blkio.weight", std::to_string(*weight),
                  "blockIO.weight");
  }
  if (const auto leaf = given(limits.leaf_weight)) {
    planner.write("blkio", "blkio.leaf_weight", std::to_string(*leaf), "blockIO.leafWeight");
  }
  for (const DeviceWeight& one : limits.weight_device) {
    const std::string device = number_text(one.device);
    if (const auto weight = given(one.weight)) {
      TRY(demand_weights(planner, "blockIO.weightDevice"));
      planner.write("blkio", bfq ? "blkio.bfq.weight_device" : "blkio.weight_device",
                    fmt::format("{} {}", device, *weight), "blockIO.weightDevice");
    }
    if (const auto leaf = given(one.leaf_weight)) {
      planner.write("blkio", "blkio.leaf_weight_device", fmt::format("{} {}", device, *leaf),
                    "blockIO.weightDevice");
    }
  }
  return {};
}

// io.weight belongs to another policy (iocost) than io.bfq.weight; where both are there, runc takes bfq's,
// whose scale is v1's.
Result<> plan_v2_weights(const BlockIoLimits& limits, LimitPlanner& planner) {
  const bool bfq = planner.facts().bfq_weight;
  const std::string file = bfq ? "io.bfq.weight" : "io.weight";
  const auto text = [bfq](uint16_t weight) { return std::to_string(bfq ? weight : io_weight(weight)); };
  if (given(limits.leaf_weight)) return not_on_v2("blockIO.leafWeight");
  if (const auto weight = given(limits.weight)) {
    TRY(demand_weights(planner, "blockIO.weight"));
    planner.write("io", file, text(*weight), "blockIO.weight");
  }
  for (const DeviceWeight& one : limits.weight_device) {
    if (given(one.leaf_weight)) return not_on_v2("blockIO.weightDevice");
    const auto weight = given(one.weight);
    if (!weight) continue;
    TRY(demand_weights(planner, "blockIO.weightDevice"));
    planner.write("io", file, fmt::format("{} {}", number_text(one.device), text(*weight)),
                  "blockIO.weightDevice");
  }
  return {};
}

}  // namespace

uint64_t io_weight(uint64_t blkio_weight) {
  if (blkio_weight == 0) return 0;
  const uint64_t above = blkio_weight < kLeastWeight ? 0 : blkio_weight - kLeastWeight;
  constexpr uint64_t kScale = 9999;
  return 1 + above * kScale / (kMostWeight - kLeastWeight);
}

Result<> plan_block_io(const BlockIoLimits& limits, LimitPlanner& planner) {
  bool any = given(limits.weight) || given(limits.leaf_weight) || !limits.weight_device.empty();
  for (const Throttle& one : throttles(limits)) any = any || !one.rates.empty();
  if (!any) return {};
  TRY(check_weight(limits.weight, "blockIO.weight"));
  TRY(check_weight(limits.leaf_weight, "blockIO.leafWeight"));
  for (const DeviceWeight& one : limits.weight_device) {
    TRY(check_weight(one.weight, "blockIO.weightDevice"));
    TRY(check_weight(one.leaf_weight, "blockIO.weightDevice"));
  }
  const Version version = TRY(planner.version("blkio", "blockIO", "io"));
  TRY(version == Version::v1 ? plan_v1_weights(limits, planner) : plan_v2_weights(limits, planner));
  for (const Throttle& throttle : throttles(limits)) {
    for (const DeviceRate& one : throttle.rates) {
      const std::string device = number_text(one.device);
      if (version == Version::v1) {
        planner.write("blkio", throttle.v1_file, fmt::format("{} {}", device, one.rate), throttle.limit);
      } else {
        const std::string rate = one.rate == 0 ? "max" : std::to_string(one.rate);
        planner.write("io", "io.max", fmt::format("{} {}={}", device, throttle.v2_key, rate), throttle.limit);
      }
    }
  }
  return {};
}

}  // namespace berth::cgroup
