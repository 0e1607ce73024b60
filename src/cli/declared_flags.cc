#include "cli/declared_flags.h"

#include "base/fields.h"
#include "cli/flag_values.h"
#include "flags/declared.h"
#include "sys/spawn.h"

namespace berth::cli {

namespace {

// "[flags] IMAGE [COMMAND [ARG...]]" has IMAGE, COMMAND and ARG, the last of them again and again.
void take_usage(std::string_view usage, DeclaredCommand& command) {
  while (!usage.empty()) {
    std::string word(take_until(usage, ' '));
    std::erase_if(word, [](char c) { return c == '[' || c == ']'; });
    const bool repeats = word.ends_with("...");
    if (repeats) word.resize(word.size() - 3);
    if (word.empty() || word == "flags") continue;
    command.repeats = repeats;
    if (!repeats || command.places.empty() || command.places.back() != word)
      command.places.push_back(std::move(word));
  }
}

}  // namespace

DeclaredCommand parse_declared(std::string_view text) {
  DeclaredCommand command;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view kind = take_until(line, '\t');
    if (kind == "usage") take_usage(line, command);
    if (kind == "rest") command.leaves_rest = true;
    if (kind != "flag") continue;
    DeclaredFlag flag;
    for (std::string& name : split(take_until(line, '\t'), ',')) {
      if (name.starts_with('!')) name.erase(0, 1);
      if (name.starts_with('-')) flag.names.push_back(std::move(name));
    }
    flag.takes_value = take_until(line, '\t') == "value";
    flag.choices = split(take_until(line, '\t'), ',');
    flag.text = line;
    if (!flag.names.empty()) command.flags.push_back(std::move(flag));
  }
  return command;
}

Result<DeclaredCommand> declared_by(std::string_view command) {
  constexpr size_t kMost = size_t{1} << 20;
  std::vector<std::string> words{"berth"};
  for (std::string& word : split(command, ' ')) words.push_back(std::move(word));
  words.emplace_back(flags::kDeclaredFlags);
  return parse_declared(TRY(sys::output_of("/proc/self/exe", std::move(words), kMost)).text);
}

}  // namespace berth::cli
