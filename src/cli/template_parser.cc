#include "cli/template_parser.h"

#include <algorithm>
#include <optional>

#include "cli/template_functions.h"
#include "cli/template_lexer.h"

namespace berth::cli::templates {

namespace {

constexpr size_t kDeepest = 64;

// What ends a list of nodes.
enum class Stop { end_of_template, end, otherwise };

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Nodes> run() {
    Nodes nodes;
    const Place place = peek().place;
    if (TRY(parse_list(nodes, place)) == Stop::end_of_template) return nodes;
    return error_at(stopped_at_,
                    "there is nothing that this belongs to: {{{{if …}}}} … {{{{else}}}} … {{{{end}}}}");
  }

 private:
  [[nodiscard]] const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  [[nodiscard]] bool is(TokenKind kind) const { return peek().kind == kind; }
  [[nodiscard]] bool is_word(std::string_view word, size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::word && peek(ahead).text == word;
  }
  // The last token stays.
  const Token& take() {
    const Token& token = peek();
    at_ = std::min(at_ + 1, tokens_.size() - 1);
    return token;
  }
  bool take_if(TokenKind kind) {
    if (!is(kind)) return false;
    take();
    return true;
  }

  std::unexpected<Error> unexpected_token(std::string_view wanted) {
    const Token& token = peek();
    if (token.kind == TokenKind::close)
      return error_at(token.place, "{} is missing before the \"}}}}\"", wanted);
    return error_at(token.place, "here is \"{}\", and {} was to be there", token.text, wanted);
  }

  Result<> expect_close() {
    if (take_if(TokenKind::close)) return {};
    return unexpected_token("\"}}\"");
  }

  Result<Stop> parse_list(Nodes& nodes, Place begun) {
    if (depth_ > kDeepest) return error_at(begun, "more than {} blocks are in each other", kDeepest);
    while (!is(TokenKind::end)) {
      if (is(TokenKind::text)) {
        const Token& text = take();
        nodes.push_back(Node{.kind = Node::Kind::text, .place = text.place, .text = text.text});
        continue;
      }
      stopped_at_ = take().place;  // {{
      if (is_word("end")) {
        take();
        TRY(expect_close());
        return Stop::end;
      }
      if (is_word("else")) {
        take();
        return Stop::otherwise;
      }
      nodes.push_back(TRY(parse_action()));
    }
    return Stop::end_of_template;
  }

  Result<Node> parse_action() {
    const Place place = stopped_at_;
    for (const auto& [word, kind] :
         {std::pair{"if", Node::Kind::if_true}, {"with", Node::Kind::with}, {"range", Node::Kind::range}}) {
      if (is_word(word)) return parse_branch(kind, place);
    }
    for (const auto& [word, kind] : {std::pair{"break", Node::Kind::leave}, {"continue", Node::Kind::next}}) {
      if (!is_word(word)) continue;
      if (ranges_ == 0) return error_at(peek().place, "\"{}\" belongs into a {{{{range}}}}", word);
      take();
      TRY(expect_close());
      return Node{.kind = kind, .place = place};
    }
    for (const char* word : {"template", "define", "block"}) {
      if (is_word(word)) return error_at(peek().place, "\"{}\" is nothing that --format has", word);
    }
    Node node{.kind = Node::Kind::action, .place = place};
    node.pipeline = TRY(parse_pipeline(TokenKind::close, false));
    return node;
  }

  // The word itself is still to be taken.
  Result<Node> parse_branch(Node::Kind kind, Place place) {
    const std::string word = take().text;
    const bool is_range = kind == Node::Kind::range;
    const size_t outer = variables_.size();
    Node node{.kind = kind, .place = place};
    ++depth_;
    node.pipeline = TRY(parse_pipeline(TokenKind::close, is_range));
    const size_t own = variables_.size();
    ranges_ += is_range ? 1 : 0;
    const Stop stop = TRY(parse_list(node.body, place));
    ranges_ -= is_range ? 1 : 0;
    variables_.resize(own);
    if (stop == Stop::otherwise) {
      TRY(parse_otherwise(node, word));
    } else if (stop == Stop::end_of_template) {
      return error_at(place, "{{{{{}}}}} without its {{{{end}}}}", word);
    }
    --depth_;
    variables_.resize(outer);
    return node;
  }

  // After {{else: of "else if" the rest is a block of its own, which has the {{end}}.
  Result<> parse_otherwise(Node& node, const std::string& word) {
    const Place place = stopped_at_;
    for (const auto& [next, kind] : {std::pair{"if", Node::Kind::if_true}, {"with", Node::Kind::with}}) {
      if (!is_word(next)) continue;
      if (word != next)
        return error_at(place, "after {{{{{}}}}} there is {{{{else}}}} and no {{{{else {}}}}}", word, next);
      node.otherwise.push_back(TRY(parse_branch(kind, place)));
      return {};
    }
    TRY(expect_close());
    const Stop stop = TRY(parse_list(node.otherwise, node.place));
    if (stop == Stop::otherwise)
      return error_at(stopped_at_, "a second {{{{else}}}} of one {{{{{}}}}}", word);
    if (stop == Stop::end_of_template)
      return error_at(node.place, "{{{{{}}}}} without its {{{{end}}}}", word);
    return {};
  }

  // With the token that ends it.
  Result<Pipeline> parse_pipeline(TokenKind last, bool of_range) {
    Pipeline pipeline{.place = peek().place};
    if (last == TokenKind::close) TRY(parse_variables(pipeline, of_range));
    do {
      pipeline.commands.push_back(TRY(parse_command()));
    } while (take_if(TokenKind::pipe));
    if (!take_if(last)) return unexpected_token(last == TokenKind::close ? "\"}}\"" : "\")\"");
    for (size_t i = 1; i < pipeline.commands.size(); ++i) {
      const Term& first = pipeline.commands[i].terms.front();
      if (first.kind != Term::Kind::function)
        return error_at(first.place, "what stands after a \"|\" is a function");
    }
    // What it is made from does not know it yet.
    if (pipeline.declares)
      variables_.insert(variables_.end(), pipeline.variables.begin(), pipeline.variables.end());
    return pipeline;
  }

  Result<> parse_variables(Pipeline& pipeline, bool of_range) {
    if (!is(TokenKind::variable)) return {};
    const bool two = peek(1).kind == TokenKind::comma;
    const Token& sign = peek(two ? 3 : 1);
    if (sign.kind != TokenKind::declare && sign.kind != TokenKind::assign) {
      if (two) return error_at(peek(1).place, "\"$key, $value :=\" is what a comma is for");
      return {};
    }
    if (two && !of_range) return error_at(peek(1).place, "two variables belong into a {{{{range}}}}");
    if (two && peek(2).kind != TokenKind::variable)
      return error_at(peek(2).place, "here is \"{}\", and a variable was to be there", peek(2).text);
    pipeline.declares = sign.kind == TokenKind::declare;
    for (size_t i = 0; i <= (two ? 2U : 0U); i += 2) {
      const Token& variable = peek(i);
      if (variable.text == "$")
        return error_at(variable.place, "$ is what the template was given, and stays that");
      if (!pipeline.declares) TRY(check_variable(variable));
      pipeline.variables.push_back(variable.text);
    }
    for (size_t i = 0; i < (two ? 4U : 2U); ++i) take();
    return {};
  }

  Result<> check_variable(const Token& variable) const {
    const bool known = variable.text == "$" ||
                       std::find(variables_.begin(), variables_.end(), variable.text) != variables_.end();
    if (known) return {};
    return error_at(variable.place, "there is no variable {}", variable.text);
  }

  Result<Command> parse_command() {
    Command command;
    while (std::optional<Term> term = TRY(parse_term())) command.terms.push_back(std::move(*term));
    if (command.terms.empty()) return unexpected_token("a value");
    const Term& first = command.terms.front();
    if (command.terms.size() > 1 && first.kind != Term::Kind::function)
      return error_at(command.terms[1].place,
                      "what stands before this takes no values, as it is no function");
    return command;
  }

  // nullopt where none begins.
  Result<std::optional<Term>> parse_term() {
    const Token& token = peek();
    Term term{.place = token.place};
    switch (token.kind) {
      case TokenKind::dot:
        take();
        break;
      case TokenKind::field:
        take();
        term.fields.push_back({token.text, token.place});
        break;
      case TokenKind::variable:
        TRY(check_variable(token));
        take();
        term.kind = Term::Kind::variable;
        term.name = token.text;
        break;
      case TokenKind::literal:
        take();
        term.kind = Term::Kind::literal;
        term.literal = token.literal;
        break;
      case TokenKind::word:
        TRY(parse_word(term));
        break;
      case TokenKind::left:
        TRY(parse_parentheses(term));
        break;
      default:
        return std::nullopt;
    }
    const bool has_fields = term.kind != Term::Kind::literal && term.kind != Term::Kind::nothing &&
                            term.kind != Term::Kind::function;
    while (is(TokenKind::field) && !peek().after_space) {
      if (!has_fields) return error_at(peek().place, "this has no fields");
      const Token& field = take();
      term.fields.push_back({field.text, field.place});
    }
    return term;
  }

  Result<> parse_word(Term& term) {
    const Token& token = take();
    if (token.text == "true" || token.text == "false") {
      term.kind = Term::Kind::literal;
      term.literal = token.text == "true";
    } else if (token.text == "nil") {
      term.kind = Term::Kind::nothing;
    } else {
      TRY(check_function(token.place, token.text));
      term.kind = Term::Kind::function;
      term.name = token.text;
    }
    return {};
  }

  Result<> parse_parentheses(Term& term) {
    take();
    if (++depth_ > kDeepest)
      return error_at(term.place, "more than {} parentheses are in each other", kDeepest);
    term.kind = Term::Kind::pipeline;
    term.inner.push_back(TRY(parse_pipeline(TokenKind::right, false)));
    --depth_;
    return {};
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t ranges_ = 0;
  Place stopped_at_;                    // of the last {{
  std::vector<std::string> variables_;  // that there are at this place
};

}  // namespace

Result<Nodes> parse(std::string_view source) {
  return Parser(TRY(tokens_of(source))).run();
}

}  // namespace berth::cli::templates
