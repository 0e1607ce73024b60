#include "flags/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/nearest.h"
#include "flags/declared.h"

namespace berth::flags {

namespace {

constexpr size_t kTextColumn = 34;

// CLI11's own usage line says [OPTIONS] and TEXT; people know the shape that podman and Docker print.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) {}
  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override { return usage_; }

 private:
  std::string usage_;
};

// Takes the first of "--init,!--no-init", without the mark of an opposite.
std::string_view take_name(std::string_view& names) {
  const size_t comma = std::min(names.find(','), names.size());
  std::string_view name = names.substr(0, comma);
  names.remove_prefix(std::min(comma + 1, names.size()));
  if (name.starts_with('!')) name.remove_prefix(1);
  return name;
}

bool is_long(std::string_view name) {
  return name.starts_with("--");
}

bool is_positional(std::string_view names) {
  return names.find('-') == std::string_view::npos;
}

// Whether a word could name a flag. True too often does no harm, false must be certain: short flags stand
// together, as in "-it", and CLI11 reads even "-i-tty" as both.
bool may_name(std::string_view word, std::string_view names) {
  if (!word.starts_with('-')) return false;
  while (!names.empty()) {
    const std::string_view name = take_name(names);
    if (is_long(name) ? word.find(name.substr(1)) != std::string_view::npos
                      : !is_long(word) && word.find(name[1]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

// An app of CLI11's, which costs so much for each option that a command's start would feel it.
class Flags::Parser {
 public:
  explicit Parser(const Flags& flags) {
    app_.name(flags.line_.shown());
    app_.prefix_command(flags.leaves_rest_);
  }

  void add(const Declared& declared) {
    CLI::Option* option = std::visit([&](auto* into) { return add_as(*into, declared); }, declared.into);
    option->required(declared.need == Need::required);
    const bool hidden = is_positional(declared.names) && declared.text.empty();
    option->group(hidden ? "" : std::string(declared.heading));
    const Shape& shape = declared.shape;
    if (!shape.shown.empty()) option->type_name(std::string(shape.shown));
    if (shape.range) option->check(CLI::Range(shape.range->least, shape.range->most));
    if (!shape.choices.empty()) {
      option->check(CLI::IsMember(std::vector<std::string>(shape.choices.begin(), shape.choices.end())));
    }
  }

  CLI::App& app() { return app_; }

 private:
  template <typename Value>
  CLI::Option* add_as(Value& into, const Declared& declared) {
    const std::string names(declared.names);
    const std::string text(declared.text);
    if constexpr (std::is_same_v<Value, bool>) {
      return app_.add_flag(names, into, text);
    } else {
      CLI::Option* option = app_.add_option(names, into, text);
      if constexpr (!std::is_same_v<Value, std::vector<std::string>>) {
        option->take_last();
      } else if (!is_positional(names)) {
        option->allow_extra_args(false);
      }
      return option;
    }
  }

  CLI::App app_;
};

std::string Flags::help() const {
  Parser parser(*this);
  for (const Declared& declared : declared_) parser.add(declared);
  CLI::App& app = parser.app();
  app.description(std::string(description_));
  auto formatter = std::make_shared<HelpFormatter>(fmt::format("Usage: {} {}\n", line_.shown(), usage_));
  formatter->column_width(kTextColumn);
  app.formatter(formatter);
  if (!examples_.empty()) app.footer(fmt::format("\nEXAMPLES\n{}", examples_));
  return app.help();
}

bool Flags::takes_value(std::string_view name) const {
  return std::any_of(declared_.begin(), declared_.end(), [name](const Declared& declared) {
    if (std::holds_alternative<bool*>(declared.into)) return false;
    for (std::string_view names = declared.names; !names.empty();) {
      if (take_name(names) == name) return true;
    }
    return false;
  });
}

// CLI11 takes the next word for the value of "--entrypoint=", so the empty value becomes a word of its own.
std::vector<std::string> Flags::with_empty_values_apart() const {
  std::vector<std::string> words = line_.args;
  for (auto word = words.begin(); word != words.end() && *word != "--"; ++word) {
    if (!word->starts_with('-') || *word == "-") {
      if (leaves_rest_) break;
      continue;
    }
    const size_t equals = word->find('=');
    if (!is_long(*word)) {
      // The value of "-it -w /src" is the next word, that of "-w/src" is not.
      const auto valued = std::find_if(word->begin() + 1, word->end(),
                                       [this](char letter) { return takes_value(std::string{'-', letter}); });
      if (valued + 1 == word->end() && word + 1 != words.end()) ++word;
    } else if (equals == std::string::npos) {
      if (takes_value(*word) && word + 1 != words.end()) ++word;
    } else if (equals + 1 == word->size() && takes_value(word->substr(0, equals))) {
      word->pop_back();
      word = words.insert(word + 1, "");
    }
  }
  return words;
}

namespace {
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}
}  // namespace

Result<bool> Flags::parse() {
  if (line_.args.size() == 1 && line_.args.front() == kDeclaredFlags) {
    fmt::print("usage\t{}\n{}", usage_, leaves_rest_ ? "rest\n" : "");
    for (const Declared& declared : declared_) {
      if (is_positional(declared.names)) continue;
      fmt::print("flag\t{}\t{}\t{}\t{}\n", declared.names,
                 std::holds_alternative<bool*>(declared.into) ? "" : "value",
                 fmt::join(declared.shape.choices, ","), one_line(declared.text));
    }
    return false;
  }
  const std::vector<std::string> words = with_empty_values_apart();
  Parser parser(*this);
  // What no word can name need not be set up.
  for (const Declared& declared : declared_) {
    const auto names_it = [&](const std::string& word) { return may_name(word, declared.names); };
    if (is_positional(declared.names) || std::any_of(words.begin(), words.end(), names_it)) {
      parser.add(declared);
    }
  }
  CLI::App& app = parser.app();
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    if (leaves_rest_) rest_ = app.remaining();
    return true;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help());
    return false;
  } catch (const CLI::ExtrasError& e) {
    for (const std::string& word : app.remaining()) {
      if (word.starts_with('-') && word.size() > 1) return unknown_flag(word);
    }
    return std::unexpected(
        Error{Code::usage, 0, e.what(), fmt::format("`{} --help` shows how.", line_.shown())});
  } catch (const CLI::ParseError& e) {
    return std::unexpected(
        Error{Code::usage, 0, e.what(), fmt::format("`{} --help` lists the flags.", line_.shown())});
  }
}

std::unexpected<Error> Flags::unknown_flag(std::string_view flag) const {
  const std::string_view name = flag.substr(0, flag.find('='));
  std::vector<std::string_view> known{"--help"};
  for (const Declared& declared : declared_) {
    for (std::string_view names = declared.names; !names.empty();) {
      const std::string_view word = take_name(names);
      if (is_long(word)) known.push_back(word);
    }
  }
  const std::string_view near = nearest(name, known);
  Error error{Code::usage, 0, fmt::format("{} has no flag {}", line_.shown(), name), {}};
  error.hint = near.empty() ? fmt::format("`{} --help` lists the flags.", line_.shown())
                            : fmt::format("Did you mean {}?", near);
  return std::unexpected(std::move(error));
}

}  // namespace berth::flags
