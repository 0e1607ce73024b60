#include "cgroup/statistic_files.h"

#include <algorithm>

#include "base/fields.h"

namespace berth::cgroup {

namespace {

std::optional<DeviceNumber> parse_device(std::string_view text) {
  const auto major = whole_number<uint32_t>(take_until(text, ':'));
  const auto minor = whole_number<uint32_t>(text);
  if (!major || !minor) return std::nullopt;
  return DeviceNumber{*major, *minor};
}

// "avg10=0.12 avg60=0.00 avg300=0.00 total=17".
Stall parse_stall(std::string_view line) {
  Stall stall;
  while (!line.empty()) {
    std::string_view value = take_until(line, ' ');
    const std::string_view name = take_until(value, '=');
    if (name == "avg10") stall.percent_10s = whole_number<double>(value).value_or(0);
    if (name == "avg60") stall.percent_60s = whole_number<double>(value).value_or(0);
    if (name == "avg300") stall.percent_300s = whole_number<double>(value).value_or(0);
    if (name == "total") stall.total_us = whole_number<uint64_t>(value).value_or(0);
  }
  return stall;
}

RdmaUsage& usage_of(std::vector<RdmaUsage>& all, std::string_view device) {
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const RdmaUsage& one) { return one.device == device; });
  return at != all.end() ? *at : all.emplace_back(RdmaUsage{.device = std::string(device)});
}

// Calls `take` with the device, and the name and number of each value; "max" is nullopt.
template <typename Take>
void for_each_rdma(std::string_view text, Take take) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view device = take_until(line, ' ');
    while (!line.empty()) {
      std::string_view value = take_until(line, ' ');
      const std::string_view name = take_until(value, '=');
      take(device, name, whole_number<uint64_t>(value));
    }
  }
}

}  // namespace

std::map<std::string, uint64_t> parse_flat(std::string_view text) {
  std::map<std::string, uint64_t> values;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view name = take_until(line, ' ');
    if (const auto value = whole_number<uint64_t>(line)) values.insert_or_assign(std::string(name), *value);
  }
  return values;
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  std::optional<Pressure> pressure;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view who = take_until(line, ' ');
    if (who == "some") pressure.emplace().some = parse_stall(line);
    if (who == "full" && pressure) pressure->full = parse_stall(line);
  }
  return pressure;
}

void parse_io_stat(std::string_view text, IoStatistics& io) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const auto device = parse_device(take_until(line, ' '));
    while (device && !line.empty()) {
      std::string_view value = take_until(line, ' ');
      const std::string_view name = take_until(value, '=');
      const auto number = whole_number<uint64_t>(value);
      if (!number || name.size() < 2) continue;
      const char* operation = name[0] == 'r'   ? "Read"
                              : name[0] == 'w' ? "Write"
                              : name[0] == 'd' ? "Discard"
                                               : nullptr;
      if (operation == nullptr) continue;
      if (name.substr(1) == "bytes") io.bytes.push_back({*device, operation, *number});
      if (name.substr(1) == "ios") io.operations.push_back({*device, operation, *number});
    }
  }
}

std::vector<IoCount> parse_blkio(std::string_view text) {
  std::vector<IoCount> counts;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const auto device = parse_device(take_until(line, ' '));
    const std::string_view operation = take_until(line, ' ');
    const auto number = whole_number<uint64_t>(line);
    if (device && number && operation != "Total")
      counts.push_back({*device, std::string(operation), *number});
  }
  return counts;
}

std::vector<RdmaUsage> parse_rdma(std::string_view current, std::string_view limits) {
  std::vector<RdmaUsage> all;
  for_each_rdma(current,
                [&all](std::string_view device, std::string_view name, std::optional<uint64_t> value) {
                  RdmaUsage& one = usage_of(all, device);
                  if (name == "hca_handle") one.handles = value;
                  if (name == "hca_object") one.objects = value;
                });
  for_each_rdma(limits,
                [&all](std::string_view device, std::string_view name, std::optional<uint64_t> value) {
                  RdmaUsage& one = usage_of(all, device);
                  if (name == "hca_handle") one.handles_limit = value;
                  if (name == "hca_object") one.objects_limit = value;
                });
  return all;
}

std::vector<uint64_t> parse_numbers(std::string_view text) {
  std::vector<uint64_t> numbers;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    if (const auto number = whole_number<uint64_t>(text.substr(0, end))) numbers.push_back(*number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return numbers;
}

}  // namespace berth::cgroup
