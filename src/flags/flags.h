// The flags and the words that a command takes, and how its command line becomes their values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace berth::flags {

// What a program was called with, as far as one command is concerned.
struct CommandLine {
  std::string program;            // "berth"
  std::string name;               // of the command: "run", "image prune"; empty for the program's own flags
  std::vector<std::string> args;  // what follows it

  [[nodiscard]] std::string shown() const { return name.empty() ? program : program + " " + name; }
};

struct Range {
  int least = 0;
  int most = 0;
};

// What a value looks like, where more is to be said than that it is a text or a number.
struct Shape {
  std::string_view shown;                 // in the help, in the place of TEXT or INT
  std::vector<std::string_view> choices;  // the value must be one of them; empty: any
  std::optional<Range> range;             // of a number
};

enum class Need { optional, required };

// A command declares what it takes, then calls parse(). Texts must be literals; what is read into must live
// until parse() has returned. Names are "-i,--interactive"; "!--no-init" is one that says the opposite.
class Flags {
 public:
  // `usage` is what follows the name: "[flags] IMAGE [COMMAND [ARG...]]". `examples` are whole lines, shown
  // under EXAMPLES. The line must outlive this.
  Flags(const CommandLine& line, std::string_view usage, std::string_view description,
        std::string_view examples)
      : line_(line), usage_(usage), description_(description), examples_(examples) {}

  // Flags that are declared from here on stand under it in the help.
  void heading(std::string_view heading) { heading_ = heading; }

  // --all, or --all=true, --all=false.
  void flag(std::string_view names, bool& into, std::string_view text) { declare(names, &into, text); }

  void value(std::string_view names, std::string& into, std::string_view text, Shape shape = {}) {
    declare(names, &into, text, std::move(shape));
  }
  void value(std::string_view names, std::optional<std::string>& into, std::string_view text,
             Shape shape = {}) {
    declare(names, &into, text, std::move(shape));
  }
  void value(std::string_view names, int& into, std::string_view text, Shape shape = {}) {
    declare(names, &into, text, std::move(shape));
  }
  void value(std::string_view names, std::optional<int64_t>& into, std::string_view text, Shape shape = {}) {
    declare(names, &into, text, std::move(shape));
  }

  // May be given several times, one value each.
  void list(std::string_view names, std::vector<std::string>& into, std::string_view text) {
    declare(names, &into, text);
  }

  // A word without a flag. With a text it is in the help; else the usage line says enough.
  void word(std::string_view name, std::string& into, Need need, std::string_view text = {}) {
    declare(name, &into, text).need = need;
  }
  void word(std::string_view name, std::optional<std::string>& into, Need need, std::string_view text = {}) {
    declare(name, &into, text).need = need;
  }
  // All words that are left.
  void words(std::string_view name, std::vector<std::string>& into, Need need, std::string_view text = {}) {
    declare(name, &into, text).need = need;
  }

  // The first word that is no flag, and all that follows it, is left alone: rest() has it after parse(),
  // with a "--" before it if there was one, or from an unknown flag on.
  void leave_rest() { leaves_rest_ = true; }
  [[nodiscard]] const std::vector<std::string>& rest() const { return rest_; }

  // True: go on. False: help was asked for and printed; exit with 0. An error has Code::usage and, for a
  // misspelt flag, a hint with the nearest one.
  [[nodiscard]] Result<bool> parse();

  // The error for a flag that is not declared, with the nearest that is.
  [[nodiscard]] std::unexpected<Error> unknown_flag(std::string_view flag) const;

 private:
  struct Declared {
    std::string_view names;
    std::variant<bool*, std::string*, std::optional<std::string>*, int*, std::optional<int64_t>*,
                 std::vector<std::string>*>
        into;
    std::string_view text;
    Shape shape;
    std::string_view heading;
    Need need = Need::optional;
  };
  class Parser;  // flags.cc, the only file that knows the library behind this

  Declared& declare(std::string_view names, decltype(Declared::into) into, std::string_view text,
                    Shape shape = {}) {
    return declared_.emplace_back(Declared{names, into, text, std::move(shape), heading_});
  }

  [[nodiscard]] std::string help() const;
  // The flag of this name, if it takes a value.
  [[nodiscard]] bool takes_value(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> with_empty_values_apart() const;

  const CommandLine& line_;
  std::string_view usage_;
  std::string_view description_;
  std::string_view examples_;
  std::string_view heading_ = "Options";
  std::vector<Declared> declared_;
  bool leaves_rest_ = false;
  std::vector<std::string> rest_;
};

}  // namespace berth::flags
