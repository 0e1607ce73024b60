#include "cli/template.h"

#include "base/letter_case.h"
#include "cli/template_evaluator.h"
#include "cli/template_parser.h"

namespace berth::cli {

namespace {

using templates::Node;
using templates::Pipeline;
using templates::Term;

// The last word of the first field that is in it, or "".
std::string field_of(const Pipeline& pipeline) {
  for (const templates::Command& command : pipeline.commands) {
    for (const Term& term : command.terms) {
      if (!term.fields.empty()) return term.fields.back().name;
      std::string inner = term.inner.empty() ? "" : field_of(term.inner.front());
      if (!inner.empty()) return inner;
    }
  }
  return "";
}

std::string heading_of(const templates::Nodes& nodes) {
  std::string heading;
  for (const Node& node : nodes) {
    if (node.kind == Node::Kind::text) heading += node.text;
    if (node.kind == Node::Kind::action && node.pipeline.variables.empty()) {
      heading += capital(field_of(node.pipeline));
    }
    // Of a block what it has where it holds.
    heading += heading_of(node.body);
  }
  return heading;
}

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  return Template(TRY(templates::parse(text)));
}

Result<std::string> Template::expand(const nlohmann::ordered_json& object) const {
  return templates::evaluate(nodes_, object);
}

std::string Template::heading() const {
  return heading_of(nodes_);
}

}  // namespace berth::cli
