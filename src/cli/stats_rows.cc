#include "cli/stats_rows.h"

#include <algorithm>
#include <array>

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;
using Number = std::optional<uint64_t>;

constexpr const char* kUnknown = "--";
constexpr double kPercent = 100.0;

// "1.5MB", in units of 1000 as podman has it.
std::string size_text(uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  constexpr double kStep = 1000;
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= kStep && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  return fmt::format("{:.4g}{}", value, kUnits[unit]);
}

std::string size_or_unknown(const Number& bytes) {
  return bytes ? size_text(*bytes) : kUnknown;
}

std::string pair_text(const Number& left, const Number& right) {
  return size_or_unknown(left) + " / " + size_or_unknown(right);
}

std::string percent_text(const std::optional<double>& percent) {
  return percent ? fmt::format("{:.2f}%", *percent) : kUnknown;
}

// "1.234s"
std::string time_text(const Number& nanoseconds) {
  constexpr double kNanoseconds = 1e9;
  return nanoseconds ? fmt::format("{:.3f}s", static_cast<double>(*nanoseconds) / kNanoseconds) : kUnknown;
}

std::optional<double> part_of(const Number& time, int64_t span) {
  if (!time || span <= 0) return std::nullopt;
  return kPercent * static_cast<double>(*time) / static_cast<double>(span);
}

std::optional<double> average_percent(const StatsRow& row) {
  return part_of(row.now->cpu_ns, row.now->time - row.now->started_at);
}

std::optional<double> memory_percent(const engine::ContainerUsage& usage) {
  if (!usage.memory || usage.memory_limit == 0) return std::nullopt;
  return kPercent * static_cast<double>(*usage.memory) / static_cast<double>(usage.memory_limit);
}

constexpr std::array<const char*, 9> kFields{"CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO",
                                             "PIDS",    "CPUTime",  "AvgCPU",  "UpTime"};

std::array<std::string, kFields.size()> texts(const StatsRow& row) {
  std::array<std::string, kFields.size()> result;
  result.fill(kUnknown);
  if (!row.now) return result;
  const engine::ContainerUsage& usage = *row.now;
  const auto up = static_cast<uint64_t>(std::max<int64_t>(usage.time - usage.started_at, 0));
  return {percent_text(cpu_percent(row)),
          pair_text(usage.memory, usage.memory_limit),
          percent_text(memory_percent(usage)),
          pair_text(usage.received, usage.sent),
          pair_text(usage.read, usage.written),
          usage.pids ? fmt::format("{}", *usage.pids) : kUnknown,
          time_text(usage.cpu_ns),
          percent_text(average_percent(row)),
          time_text(up)};
}

std::string shown_id(const StatsRow& row, bool whole_id) {
  constexpr size_t kShortId = 12;
  return whole_id ? row.record.id : row.record.id.substr(0, kShortId);
}

}  // namespace

std::optional<double> cpu_percent(const StatsRow& row) {
  if (!row.now) return std::nullopt;
  const bool is_same = row.before && row.before->started_at == row.now->started_at && row.before->cpu_ns &&
                       row.now->cpu_ns && *row.now->cpu_ns >= *row.before->cpu_ns;
  if (!is_same) return average_percent(row);
  return part_of(*row.now->cpu_ns - *row.before->cpu_ns, row.now->time - row.before->time);
}

std::vector<std::string> stats_heading() {
  return {"ID",     "NAME",     "CPU %", "MEM USAGE / LIMIT", "MEM %",
          "NET IO", "BLOCK IO", "PIDS",  "CPU TIME",          "AVG CPU %"};
}

std::vector<std::string> stats_line(const StatsRow& row, bool whole_id) {
  std::vector<std::string> line{shown_id(row, whole_id), row.record.name};
  const auto values = texts(row);
  line.insert(line.end(), values.begin(), values.end() - 1);
  return line;
}

Json stats_json(const StatsRow& row) {
  const auto values = texts(row);
  return {{"id", shown_id(row, false)}, {"name", row.record.name}, {"cpu_time", values[6]},
          {"cpu_percent", values[0]},   {"avg_cpu", values[7]},    {"mem_usage", values[1]},
          {"mem_percent", values[2]},   {"net_io", values[3]},     {"block_io", values[4]},
          {"pids", values[5]}};
}

Json stats_fields(const StatsRow& row, bool whole_id) {
  const std::string id = shown_id(row, whole_id);
  Json fields = {{"ID", id}, {"ContainerID", row.record.id}, {"Container", id}, {"Name", row.record.name}};
  const auto values = texts(row);
  for (size_t i = 0; i < kFields.size(); ++i) fields[kFields[i]] = values[i];
  return fields;
}

}  // namespace berth::cli
