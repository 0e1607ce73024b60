// What --filter says, as the lists and the prune commands have it in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::cli {

// "KEY=VALUE".
struct Filter {
  std::string key;
  std::string value;              // empty without a '=', too
  std::optional<int64_t> moment;  // of until=: seconds since 1970 (cli/times.h)
};
// Takes it apart. Which keys there are is the command's to say. Code::usage for an until= that is no time.
Result<Filter> split_filter(const std::string& text);

// Whether the labels are as "KEY" or "KEY=VALUE" wants.
bool has_label(const std::map<std::string, std::string>& labels, std::string_view wanted);

// Of several filters with one key one has to hold, but of labels (label, label!) all, as podman has it.
template <typename AnyFilter, typename Holds>
bool filters_pass(const std::vector<AnyFilter>& filters, Holds holds) {
  std::map<std::string_view, bool> any;  // by key: whether one of its filters holds
  for (const AnyFilter& filter : filters) {
    const bool held = holds(filter);
    if (!held && filter.key.starts_with("label")) return false;
    any[filter.key] |= held;
  }
  return std::ranges::all_of(any, [](const auto& one) { return one.second; });
}

}  // namespace berth::cli
