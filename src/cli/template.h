// The part of Go's templates that people give to --format.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::cli {

// A parsed "{{.Repository}}:{{.Tag}}\t{{json .Labels}}". \t and \n mean a tab and a line's end.
class Template {
 public:
  // Code::usage with the place and what is possible.
  static Result<Template> parse(std::string_view text);

  // The text for one value. Code::usage for a field that it does not have, with the nearest one that it has.
  [[nodiscard]] Result<std::string> expand(const nlohmann::ordered_json& value) const;

  // "REPOSITORY", "TAG" for the heading of "table …": one for each field.
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }

 private:
  struct Part {
    std::string literal;
    std::vector<std::string> path;  // of a field; empty with `field`: the value itself
    bool field = false;
    bool json = false;
  };
  std::vector<Part> parts_;
  std::vector<std::string> fields_;
};

}  // namespace berth::cli
