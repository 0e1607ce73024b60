// The columns of `berth top`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/container_processes.h"

namespace berth::cli {

// What all lines need to know.
struct TopContext {
  std::vector<sys::ProcessDetails> processes;
  engine::AccountTexts accounts;
  idmap::IdMap users;
  idmap::IdMap groups;
  int64_t uptime = 0;   // clock ticks since the boot
  int64_t ticks = 100;  // in a second
};

struct TopColumn {
  std::string_view name;  // as it is asked for
  std::string_view heading;
  std::string (*value)(const TopContext& context, const sys::ProcessDetails& process);
};

// "user,pid" and "user pid" alike; nothing: the usual ones. Code::usage with what there is.
Result<std::vector<const TopColumn*>> top_columns(const std::vector<std::string>& descriptors);

// "args, capamb, …".
std::string top_column_names();

}  // namespace berth::cli
