// What `berth stats` shows of a container.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/container/usage.h"
#include "store/containers.h"

namespace berth::cli {

struct StatsRow {
  store::ContainerRecord record;
  std::optional<engine::ContainerUsage> before;  // at the last look, if there was one
  std::optional<engine::ContainerUsage> now;     // nullopt: it does not run
};

// podman's columns: "ID", "NAME", "CPU %", …
std::vector<std::string> stats_heading();
std::vector<std::string> stats_line(const StatsRow& row, bool whole_id);

// For --format json, and for templates, whose fields have Docker's and podman's names.
nlohmann::ordered_json stats_json(const StatsRow& row);
nlohmann::ordered_json stats_fields(const StatsRow& row, bool whole_id);

// Percent of one processor since the last look, or without one since the container's start.
std::optional<double> cpu_percent(const StatsRow& row);

}  // namespace berth::cli
