// --filter of the commands that list containers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <regex.h>

#include "cli/container_view.h"

namespace berth::cli {

class ContainerFilters {
 public:
  // Code::usage with what there is; Code::not_found where before= or since= names no container.
  static Result<ContainerFilters> parse(store::Database& db, const std::vector<std::string>& filters);

  // Of several filters with one key one has to hold, of labels all.
  [[nodiscard]] bool pass(const ContainerView& view) const;

  // Whether they ask for containers that do not run.
  [[nodiscard]] bool want_all() const;

 private:
  struct Filter {
    std::string key;
    std::string value;
    std::shared_ptr<regex_t> pattern{};  // name
    std::optional<int64_t> moment{};     // until, before, since: nanoseconds since 1970
    std::optional<int64_t> status{};     // exited
  };
  static Result<Filter> parse_one(store::Database& db, const std::string& text);
  static bool holds(const Filter& filter, const ContainerView& view);

  std::vector<Filter> filters_;
};

// The keys, for the help.
inline constexpr const char* kContainerFilters =
    "id=, name=, label=, status=, exited=, ancestor=, before=, since=, until=, volume=, network=, health=, "
    "project=";

}  // namespace berth::cli
