#include <algorithm>
#include <array>
#include <set>

#include <unistd.h>

#include "cli/completion.h"
#include "cli/declared_flags.h"
#include "cli/flags.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

// A word that may stand there, and what to say of it.
struct Candidate {
  std::string word;
  std::string text;
};

class Candidates {
 public:
  explicit Candidates(std::string begin) : begin_(std::move(begin)) {}

  void add(std::string_view word, std::string_view text = {}) {
    if (word.starts_with(begin_) && seen_.insert(std::string(word)).second)
      list_.push_back({std::string(word), std::string(text)});
  }
  void add_files() { files_ = true; }

  void print() const {
    for (const Candidate& candidate : list_) {
      // Names that other tools could read as something else are none of berth's.
      fmt::print("{}{}{}\n", printable(candidate.word), candidate.text.empty() ? "" : "\t",
                 printable(candidate.text));
    }
    if (files_) fmt::print(":files\n");
  }

 private:
  std::string begin_;
  std::set<std::string> seen_;
  std::vector<Candidate> list_;
  bool files_ = false;
};

// A line as far as it has been typed.
struct Typed {
  store::Locations locations;
  std::vector<std::string> words;  // from the command on, without the last
  std::string last;
};

constexpr std::array<std::string_view, 3> kGlobals{"--root", "--runroot", "--log-level"};

Typed typed_of(std::vector<std::string> words) {
  Typed typed;
  if (words.empty()) words.emplace_back();
  typed.last = std::move(words.back());
  words.pop_back();
  size_t used = 0;
  while (used < words.size() && words[used].starts_with('-')) {
    const std::string& word = words[used++];
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (std::find(kGlobals.begin(), kGlobals.end(), name) == kGlobals.end()) continue;
    if (equals == std::string::npos && used == words.size()) {
      // Its value is what is being typed.
      words.clear();
      words.push_back(name);
      typed.words = words;
      return typed;
    }
    const std::string value = equals == std::string::npos ? words[used++] : word.substr(equals + 1);
    if (name == "--root") typed.locations.root = value;
    if (name == "--runroot") typed.locations.run_root = value;
  }
  typed.words.assign(words.begin() + static_cast<long>(used), words.end());
  return typed;
}

// What the store's database has in one column. Nothing is made, and who is not allowed to look sees nothing.
void add_names(const store::Locations& locations, const char* sql, Candidates& candidates) {
  if (::geteuid() != 0 || ::access((locations.root + "/berth.db").c_str(), R_OK) != 0) return;
  Result<store::Store> store = store::Store::open(locations);
  if (!store) return;
  Result<store::Statement> query = store->db().prepare(sql);
  if (!query) return;
  while (query->step().value_or(false)) candidates.add(query->text(0), query->text(1));
}

void add_containers(const store::Locations& locations, Candidates& candidates) {
  add_names(locations, "SELECT name, image_name FROM containers ORDER BY name", candidates);
}

void add_images(const store::Locations& locations, Candidates& candidates) {
  add_names(locations, "SELECT name, substr(image_id, 8, 12) FROM image_names ORDER BY name", candidates);
  // As people call those of the default registry, and their own.
  for (const char* prefix : {"localhost/", "docker.io/library/", "docker.io/"}) {
    const std::string sql = fmt::format(
        "SELECT substr(name, {0}), substr(image_id, 8, 12) FROM image_names WHERE substr(name, 1, {1}) = "
        "'{2}' ORDER BY name",
        std::string_view(prefix).size() + 1, std::string_view(prefix).size(), prefix);
    add_names(locations, sql.c_str(), candidates);
  }
}

// What a word of the usage line, or a flag's value, may be.
void add_things(std::string_view kind, const store::Locations& locations, Candidates& candidates) {
  const auto is = [&](std::string_view word) {
    return kind == word || kind.starts_with(fmt::format("{}|", word));
  };
  if (is("CONTAINER")) return add_containers(locations, candidates);
  if (is("IMAGE")) return add_images(locations, candidates);
  if (is("VOLUME")) return add_names(locations, "SELECT name, '' FROM volumes ORDER BY name", candidates);
  if (is("NETWORK"))
    return add_names(locations, "SELECT name, project FROM networks ORDER BY name", candidates);
  if (is("PROJECT"))
    return add_names(locations, "SELECT name, policy FROM projects ORDER BY name", candidates);
  // Alternatives, such as "bash|zsh|fish".
  const bool words = kind.find('|') != std::string_view::npos &&
                     kind.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
  for (size_t begin = 0; words && begin <= kind.size();) {
    const size_t end = std::min(kind.find('|', begin), kind.size());
    candidates.add(kind.substr(begin, end - begin));
    begin = end + 1;
  }
  if (words || kind == "NAME" || kind == "COMMAND" || kind == "ARG" || kind == "COLUMN") return;
  candidates.add_files();
}

// What the value of a flag may be, by the flag's name.
std::string_view kind_of_value(std::string_view flag) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kKinds{
      {{"--network", "NETWORK"},
       {"--net", "NETWORK"},
       {"--volumes-from", "CONTAINER"},
       {"--project", "PROJECT"},
       {"--name", "NAME"},
       {"--format", "NAME"},
       {"--user", "NAME"}}};
  for (const auto& [name, kind] : kKinds) {
    if (name == flag) return kind;
  }
  return "FILE";
}

void add_commands(const std::string& family, Candidates& candidates) {
  for (const Command& command : all_commands()) {
    if (command.group.empty()) continue;
    const size_t space = command.name.find(' ');
    if (family.empty()) {
      candidates.add(command.name.substr(0, space), space == std::string_view::npos ? command.summary : "");
    } else if (space != std::string_view::npos && command.name.substr(0, space) == family) {
      candidates.add(command.name.substr(space + 1), command.summary);
    }
  }
}

const Command* find_command(const std::vector<std::string>& words, size_t count) {
  if (words.size() < count) return nullptr;
  const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
  for (const Command& command : all_commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

const DeclaredFlag* flag_called(const DeclaredCommand& command, std::string_view name) {
  for (const DeclaredFlag& flag : command.flags) {
    if (std::find(flag.names.begin(), flag.names.end(), name) != flag.names.end()) return &flag;
  }
  return nullptr;
}

void add_value(const DeclaredFlag& flag, const store::Locations& locations, Candidates& candidates) {
  for (const std::string& choice : flag.choices) candidates.add(choice);
  if (flag.choices.empty()) add_things(kind_of_value(flag.names.back()), locations, candidates);
}

void add_arguments(const DeclaredCommand& command, const std::vector<std::string>& words, const Typed& typed,
                   Candidates& candidates) {
  size_t place = 0;
  const DeclaredFlag* open = nullptr;  // a flag whose value comes next
  bool only_words = false;
  for (const std::string& word : words) {
    if (open != nullptr) {
      open = nullptr;
    } else if (only_words || !word.starts_with('-') || word == "-") {
      ++place;
      only_words = only_words || command.leaves_rest;
    } else if (word == "--") {
      only_words = true;
    } else {
      const DeclaredFlag* flag = flag_called(command, word);
      open = flag != nullptr && flag->takes_value ? flag : nullptr;
    }
  }
  if (open != nullptr) return add_value(*open, typed.locations, candidates);
  if (!only_words && typed.last.starts_with('-')) {
    for (const DeclaredFlag& flag : command.flags) {
      for (const std::string& name : flag.names) candidates.add(name, flag.text);
    }
    candidates.add("--help", "Print help");
    return;
  }
  if (command.places.empty()) return;
  if (place < command.places.size()) return add_things(command.places[place], typed.locations, candidates);
  if (command.repeats) add_things(command.places.back(), typed.locations, candidates);
}

}  // namespace

Result<int> complete(const Invocation& invocation) {
  std::vector<std::string> words = invocation.args;
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  const Typed typed = typed_of(std::move(words));
  Candidates candidates(typed.last);
  const size_t used = find_command(typed.words, 2) != nullptr   ? 2
                      : find_command(typed.words, 1) != nullptr ? 1
                                                                : 0;
  if (!typed.words.empty() && typed.words.front() == "--log-level") {
    for (const char* level : {"error", "warn", "info", "debug"}) candidates.add(level);
  } else if (!typed.words.empty() && typed.words.front().starts_with('-')) {
    candidates.add_files();
  } else if (typed.words.empty()) {
    add_commands("", candidates);
    for (const std::string_view global : kGlobals) candidates.add(global);
  } else if (used == 0) {
    if (typed.words.size() == 1) add_commands(typed.words.front(), candidates);
  } else {
    const Command* command = find_command(typed.words, used);
    const DeclaredCommand declared = TRY(declared_by(command->name));
    add_arguments(declared, {typed.words.begin() + static_cast<long>(used), typed.words.end()}, typed,
                  candidates);
  }
  candidates.print();
  return 0;
}

}  // namespace berth::cli
