// What the parts of plan_limits() share: the list that they fill, and the errors of what can't be.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cgroup/limits.h"

namespace berth::cgroup {

class LimitPlanner {
 public:
  explicit LimitPlanner(const Facts& facts) : facts_(facts) {}

  [[nodiscard]] const Facts& facts() const { return facts_; }

  // Which version has the controller. `v2_name` if it is called otherwise there ("io").
  [[nodiscard]] Result<Version> version(std::string_view name, std::string_view limit,
                                        std::string_view v2_name = {}) const;

  void write(std::string_view controller, std::string_view file, std::string value, std::string_view limit,
             Write::When when = Write::When::now) {
    writes_.push_back(
        {std::string(controller), std::string(file), std::move(value), std::string(limit), when});
  }

  [[nodiscard]] std::vector<Write> take() { return std::move(writes_); }

 private:
  const Facts& facts_;
  std::vector<Write> writes_;
};

// "max" or the number, as v2 writes it.
std::string v2_value(int64_t value);

// "8:0".
std::string number_text(const DeviceNumber& device);

// "linux.resources.memory.limit: <why>".
std::unexpected<Error> refuse_limit(std::string_view limit, std::string why);
// "linux.resources.memory.swappiness: cgroup v2 has no such limit".
std::unexpected<Error> not_on_v2(std::string_view limit);

Result<> plan_memory(const MemoryLimits& limits, LimitPlanner& planner);
Result<> plan_cpu(const CpuLimits& limits, LimitPlanner& planner);
Result<> plan_block_io(const BlockIoLimits& limits, LimitPlanner& planner);
Result<> plan_unified(const std::map<std::string, std::string>& files, LimitPlanner& planner);

}  // namespace berth::cgroup
