#include "cli/declared_flags.h"

#include <cerrno>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fields.h"
#include "cli/flag_values.h"
#include "flags/declared.h"
#include "sys/file.h"
#include "sys/pipe.h"

namespace berth::cli {

namespace {

Result<std::string> output_of_self(std::vector<std::string> words) {
  constexpr size_t kMost = size_t{1} << 20;
  sys::Pipe pipe = TRY(sys::make_pipe());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe.write_end.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t pid = 0;
  const int err = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (err != 0) return fail_errno(err, "execute berth");
  pipe.write_end.reset();
  Result<std::string> text = sys::read_all(pipe.read_end.get(), kMost);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  return text;
}

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
  std::vector<std::string> words{"berth"};
  for (std::string& word : split(command, ' ')) words.push_back(std::move(word));
  words.emplace_back(flags::kDeclaredFlags);
  return parse_declared(TRY(output_of_self(std::move(words))));
}

}  // namespace berth::cli
