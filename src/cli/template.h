// What people give to --format: templates as Go has them (docs/formats.md says which part of them).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/template_tree.h"

namespace berth::cli {

// A parsed "{{.Repository}}:{{.Tag}}\t{{json .Labels}}".
class Template {
 public:
  // Code::usage with the place and what is possible.
  static Result<Template> parse(std::string_view text);

  // The text for one object. Code::usage, with the place, for a field that it does not have, or what a
  // function can't take.
  [[nodiscard]] Result<std::string> expand(const nlohmann::ordered_json& object) const;

  // The heading of "table …": the template with the name of each field in its place, "REPOSITORY:TAG".
  [[nodiscard]] std::string heading() const;

 private:
  explicit Template(templates::Nodes nodes) : nodes_(std::move(nodes)) {}
  templates::Nodes nodes_;
};

}  // namespace berth::cli
