// A template's text as tokens. The syntax is that of Go's package text/template.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/template_place.h"

namespace berth::cli::templates {

enum class TokenKind {
  text,      // what stands outside of {{ }}, trimmed as "{{-" and "-}}" ask for, \t and \n replaced
  open,      // {{
  close,     // }}
  dot,       // .
  field,     // .Name, without its dot
  variable,  // $ or $name
  word,      // a keyword, a function, true, false, nil
  literal,   // a number, a "text", a `text`, a 'c'
  left,      // (
  right,     // )
  pipe,      // |
  comma,     // ,
  declare,   // :=
  assign,    // =
  end,       // of the template
};

struct Token {
  TokenKind kind = TokenKind::end;
  Place place{};
  std::string text{};                // as it is written; of a text what is to be printed
  nlohmann::ordered_json literal{};  // of a literal
  bool after_space = false;          // inside {{ }}: ".A .B" is two values, ".A.B" one
};

// The last one is `end`. Comments are left out. Code::usage with the place: an action or a text without its
// end, a character that means nothing, more than 64 KiB.
Result<std::vector<Token>> tokens_of(std::string_view source);

}  // namespace berth::cli::templates
