#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

// config-linux.md and the kernel's blkio-controller.rst; 0 is "not set" in what engines write.
Result<std::optional<uint16_t>> read_weight(const JsonView& object, std::string_view key) {
  constexpr uint16_t kLeast = 10;
  constexpr uint16_t kMost = 1000;
  const auto view = TRY(object.find(key));
  if (!view) return std::optional<uint16_t>();
  const auto weight = TRY(view->number<uint16_t>());
  if (weight == 0) return std::optional<uint16_t>();
  return std::optional(TRY(view->number<uint16_t>(kLeast, kMost)));
}

Result<BlockWeight> read_device_weight(const JsonView& view) {
  const JsonView major = TRY(view.member("major"));
  const JsonView minor = TRY(view.member("minor"));
  BlockWeight out;
  out.major = TRY(read_major(major));
  out.minor = TRY(read_minor(minor));
  out.weight = TRY(read_weight(view, "weight"));
  out.leaf_weight = TRY(read_weight(view, "leafWeight"));
  if (!out.weight && !out.leaf_weight) return view.refuse("\"weight\" or \"leafWeight\" is missing");
  return out;
}

Result<std::vector<BlockRate>> read_rates(const JsonView& block_io, std::string_view key) {
  std::vector<BlockRate> rates;
  for (const JsonView& view : TRY(read_list(block_io, key, kMaxListed))) {
    const JsonView major = TRY(view.member("major"));
    const JsonView minor = TRY(view.member("minor"));
    const JsonView rate = TRY(view.member("rate"));
    BlockRate out;
    out.major = TRY(read_major(major));
    out.minor = TRY(read_minor(minor));
    out.rate = TRY(rate.number<uint64_t>());
    rates.push_back(out);
  }
  return rates;
}

}  // namespace

Result<BlockIo> read_block_io(const JsonView& resources) {
  BlockIo out;
  const auto view = TRY(resources.find("blockIO"));
  if (!view) return out;
  out.weight = TRY(read_weight(*view, "weight"));
  out.leaf_weight = TRY(read_weight(*view, "leafWeight"));
  for (const JsonView& device : TRY(read_list(*view, "weightDevice", kMaxListed))) {
    out.device_weights.push_back(TRY(read_device_weight(device)));
  }
  out.read_bytes = TRY(read_rates(*view, "throttleReadBpsDevice"));
  out.write_bytes = TRY(read_rates(*view, "throttleWriteBpsDevice"));
  out.read_operations = TRY(read_rates(*view, "throttleReadIOPSDevice"));
  out.write_operations = TRY(read_rates(*view, "throttleWriteIOPSDevice"));
  return out;
}

}  // namespace berth::bundle
