// The process that exec is to start. Pure.
#pragma once

#include "bundle/process.h"
#include "lifecycle/exec.h"
#include "lifecycle/record.h"

namespace berth::lifecycle {

struct ExecWish {
  runtime::ExecPlan plan;
  std::optional<int32_t> oom_score_adj;
};

// `file`: what --process names, if it was given. HOME is not among its environment unless somebody said so.
// Code::usage for a flag that can't be, Code::refused for a user who is not in the container's map.
Result<ExecWish> plan_exec(const Record& record, const std::optional<bundle::Process>& file,
                           const ExecOptions& options);

}  // namespace berth::lifecycle
