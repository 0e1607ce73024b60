// --filter of `berth events`.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/event_feed.h"

namespace berth::cli {

class EventFilters {
 public:
  // Code::usage with what there is.
  static Result<EventFilters> parse(const std::vector<std::string>& filters);
  // Of several filters with one key one has to hold, and that for each key, as podman has it.
  [[nodiscard]] bool pass(const PastEvent& event) const;

 private:
  std::vector<std::pair<std::string, std::string>> filters_;
};

}  // namespace berth::cli
