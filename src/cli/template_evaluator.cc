#include "cli/template_evaluator.h"

#include <algorithm>
#include <optional>

#include "cli/template_functions.h"

namespace berth::cli::templates {

namespace {

constexpr size_t kMostSteps = 1'000'000;

enum class Flow { on, leave, next };

struct Variable {
  std::string_view name;
  Value value;
};

class Evaluator {
 public:
  explicit Evaluator(const Json& object) { variables_.push_back({"$", Value{.json = &object}}); }

  Result<std::string> run(const Nodes& nodes) {
    const Value dot = variables_.front().value;  // the variables move as they become more
    TRY(walk(nodes, dot));
    return std::move(out_);
  }

 private:
  // With the place of what an error is about.
  template <typename T>
  static Result<T> at(Place place, Result<T> result) {
    if (result) return result;
    Error error = error_text(place, result.error().message);
    error.hint = std::move(result.error().hint);
    return std::unexpected(std::move(error));
  }

  Result<> step(Place place) {
    if (++steps_ > kMostSteps) return error_at(place, "the template takes more than {} steps", kMostSteps);
    return {};
  }

  Result<> print(Place place, std::string_view text) {
    TRY(at(place, space_.take_room(text.size())));
    out_ += text;
    return {};
  }

  Result<Flow> walk(const Nodes& nodes, const Value& dot) {
    const size_t outer = variables_.size();
    Flow flow = Flow::on;
    for (const Node& node : nodes) {
      flow = TRY(visit(node, dot));
      if (flow != Flow::on) break;
    }
    variables_.resize(outer, variables_.front());
    return flow;
  }

  Result<Flow> visit(const Node& node, const Value& dot) {
    TRY(step(node.place));
    switch (node.kind) {
      case Node::Kind::text:
        TRY(print(node.place, node.text));
        return Flow::on;
      case Node::Kind::action: {
        const Value value = TRY(compute(node.pipeline, dot));
        TRY(set_variables(node.pipeline, value));
        if (node.pipeline.variables.empty()) TRY(print(node.place, plain(value)));
        return Flow::on;
      }
      case Node::Kind::range:
        return range(node, dot);
      case Node::Kind::leave:
        return Flow::leave;
      case Node::Kind::next:
        return Flow::next;
      case Node::Kind::if_true:
      case Node::Kind::with:
        break;
    }
    const size_t outer = variables_.size();
    const Value value = TRY(compute(node.pipeline, dot));
    TRY(set_variables(node.pipeline, value));
    const Flow flow = is_true(value) ? TRY(walk(node.body, node.kind == Node::Kind::with ? value : dot))
                                     : TRY(walk(node.otherwise, dot));
    variables_.resize(outer, variables_.front());
    return flow;
  }

  Result<Flow> range(const Node& node, const Value& dot) {
    const Value over = TRY(compute(node.pipeline, dot));
    const Json& json = *over.json;
    if (!json.is_structured() && !json.is_null())
      return error_at(node.pipeline.place, "{} is nothing to go through", kind_of(over));
    if (json.empty()) return walk(node.otherwise, dot);
    const size_t outer = variables_.size();
    std::vector<std::pair<std::string, const Json*>> elements;
    if (json.is_array()) {
      for (const Json& element : json) elements.emplace_back("", &element);
    } else {
      for (const auto& [key, element] : json.items()) elements.emplace_back(key, &element);
      std::sort(elements.begin(), elements.end());  // by their keys, as Go does
    }
    Flow flow = Flow::on;
    for (size_t i = 0; i < elements.size() && flow != Flow::leave; ++i) {
      TRY(step(node.place));
      const Value element{.json = elements[i].second};
      TRY(set_range_variables(node, json.is_array() ? Json(i) : Json(elements[i].first), element));
      flow = TRY(walk(node.body, element));
      variables_.resize(outer, variables_.front());
    }
    return Flow::on;
  }

  Result<> set_range_variables(const Node& node, Json key, const Value& element) {
    const Pipeline& pipeline = node.pipeline;
    if (pipeline.variables.size() == 2) {
      const Value kept = TRY(at(node.place, space_.keep(std::move(key))));
      TRY(set(pipeline, 0, kept));
      return set(pipeline, 1, element);
    }
    return set_variables(pipeline, element);
  }

  Result<> set_variables(const Pipeline& pipeline, const Value& value) {
    return pipeline.variables.empty() ? Result<>{} : set(pipeline, 0, value);
  }

  Result<> set(const Pipeline& pipeline, size_t which, const Value& value) {
    const std::string& name = pipeline.variables[which];
    if (pipeline.declares) {
      variables_.push_back({name, value});
      return {};
    }
    Variable* const known = find(name);
    if (known == nullptr) return error_at(pipeline.place, "there is no variable {}", name);
    known->value = value;
    return {};
  }

  // The innermost one.
  Variable* find(std::string_view name) {
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const Variable& variable) { return variable.name == name; });
    return found == variables_.rend() ? nullptr : &*found;
  }

  Result<Value> compute(const Pipeline& pipeline, const Value& dot) {
    std::optional<Value> last;
    for (const Command& command : pipeline.commands) last = TRY(run_command(command, dot, last));
    return last.value_or(nothing());
  }

  Result<Value> run_command(const Command& command, const Value& dot, const std::optional<Value>& last) {
    const Term& first = command.terms.front();
    TRY(step(first.place));
    if (first.kind != Term::Kind::function) return value_of(first, dot);
    if (first.name == "and" || first.name == "or") return and_or(command, dot, last);
    std::vector<Value> given;
    for (size_t i = 1; i < command.terms.size(); ++i) given.push_back(TRY(value_of(command.terms[i], dot)));
    if (last) given.push_back(*last);
    constexpr size_t kBytesOfStep = 4096;
    for (const Value& value : given) {
      if (value.json->is_string()) steps_ += value.json->get_ref<const std::string&>().size() / kBytesOfStep;
    }
    return at(first.place, call(first.name, given, space_));
  }

  // The first that decides, or the last; what comes after it is not looked at.
  Result<Value> and_or(const Command& command, const Value& dot, const std::optional<Value>& last) {
    const Term& first = command.terms.front();
    std::optional<Value> value;
    for (size_t i = 1; i < command.terms.size(); ++i) {
      value = TRY(value_of(command.terms[i], dot));
      if (is_true(*value) == (first.name == "or")) return *value;
    }
    if (last) value = last;
    if (!value) return error_at(first.place, "{}: it does not take 0 values", first.name);
    return *value;
  }

  Result<Value> value_of(const Term& term, const Value& dot) {
    Value value = dot;
    switch (term.kind) {
      case Term::Kind::dot:
        break;
      case Term::Kind::variable: {
        const Variable* const known = find(term.name);
        if (known == nullptr) return error_at(term.place, "there is no variable {}", term.name);
        value = known->value;
        break;
      }
      case Term::Kind::literal:
        value = Value{.json = &term.literal};
        break;
      case Term::Kind::nothing:
        value = nothing();
        break;
      case Term::Kind::function:
        TRY(step(term.place));
        return at(term.place, call(term.name, {}, space_));
      case Term::Kind::pipeline:
        value = TRY(compute(term.inner.front(), dot));
        break;
    }
    for (const Term::Field& field : term.fields) value = TRY(at(field.place, field_of(value, field.name)));
    return value;
  }

  std::vector<Variable> variables_;
  Workspace space_;
  std::string out_;
  size_t steps_ = 0;
};

}  // namespace

Result<std::string> evaluate(const Nodes& nodes, const Json& object) {
  return Evaluator(object).run(nodes);
}

}  // namespace berth::cli::templates
