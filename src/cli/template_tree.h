// What a template says, as the parser makes it and the evaluator goes through it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/template_place.h"

namespace berth::cli::templates {

struct Pipeline;

// A value or a function: .Name, $x.Name, "text", printf, (pipeline).Name.
struct Term {
  enum class Kind { dot, variable, literal, nothing, function, pipeline };
  struct Field {
    std::string name;
    Place place;
  };

  Kind kind = Kind::dot;
  Place place{};
  std::string name{};  // of the variable with its $, of the function
  nlohmann::ordered_json literal{};
  std::vector<Pipeline> inner;  // one, of (…)
  std::vector<Field> fields{};  // taken of the value, one after the other
};

// A value alone, or a function with what it is given.
struct Command {
  std::vector<Term> terms;
};

// "$k, $v := a | b | c": what a command gives is the last argument of the next one.
struct Pipeline {
  Place place{};
  std::vector<std::string> variables{};
  bool declares = false;  // :=, and not =
  std::vector<Command> commands{};
};

struct Node {
  enum class Kind { text, action, if_true, with, range, leave, next };  // break and continue are the last two

  Kind kind = Kind::text;
  Place place{};
  std::string text{};
  Pipeline pipeline{};
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

using Nodes = std::vector<Node>;

}  // namespace berth::cli::templates
