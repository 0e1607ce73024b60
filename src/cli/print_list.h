// How the commands that list show what they have found.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace berth::cli {

struct ListForm {
  bool quiet = false;  // --quiet
  const std::string& format;
  bool heading = true;
};

// What is only made for the form that is asked for.
struct ListOutput {
  std::function<void()> names;                           // --quiet
  std::function<Result<nlohmann::ordered_json>()> rows;  // --format json, or a template
  std::function<void()> table;                           // otherwise, and for --format table
};

// Code::usage for a template that is none (template_rows.h).
Result<> print_list(const ListForm& form, const ListOutput& output);

}  // namespace berth::cli
