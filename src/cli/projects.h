// The commands about projects.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> create_project(const Invocation& invocation);
Result<int> list_projects(const Invocation& invocation);
Result<int> describe_project(const Invocation& invocation);
Result<int> remove_projects(const Invocation& invocation);
}  // namespace berth::cli
