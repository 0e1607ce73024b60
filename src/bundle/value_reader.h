// How members of the runtime specification's documents are read: absent, null and "" are the same, and every
// error names the place and the value.
#pragma once

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/json.h"

namespace berth::bundle {

using oci::JsonView;

using Warnings = std::vector<std::string>;

// Adds "<place>: <why>". Only the first few of a document count: to find a place takes a walk through it.
void warn(Warnings& warnings, const JsonView& view, std::string_view why);

// A word of the specification and what it stands for.
template <typename Value>
struct Word {
  std::string_view name;
  Value value;
};

// What the word in `view` stands for; an error that lists all of them if it is none.
template <typename Value, size_t kSize>
Result<Value> read_word(const JsonView& view, const std::array<Word<Value>, kSize>& words) {
  const std::string text = TRY(view.string());
  std::string known;
  for (const Word<Value>& word : words) {
    if (word.name == text) return word.value;
    known += (known.empty() ? "" : ", ") + std::string(word.name);
  }
  return view.refuse_value("is not allowed, only " + known);
}

template <typename T>
Result<std::optional<T>> read_number(const JsonView& object, std::string_view key,
                                     T least = std::numeric_limits<T>::min(),
                                     T most = std::numeric_limits<T>::max()) {
  const std::optional<JsonView> found = TRY(object.find(key));
  if (!found) return std::optional<T>();
  return std::optional<T>(TRY(found->template number<T>(least, most)));
}

// A user or group ID: 4294967295 is none (chown(2)).
Result<uint32_t> read_id(const JsonView& view);

Result<std::optional<bool>> read_boolean(const JsonView& object, std::string_view key);

// The elements of a list that may be absent, at most `most`.
Result<std::vector<JsonView>> read_list(const JsonView& object, std::string_view key, size_t most);
Result<std::vector<std::string>> read_strings(const JsonView& object, std::string_view key, size_t most);
// The members of an object that may be absent, by name, at most `most`.
Result<std::map<std::string, std::string>> read_string_map(const JsonView& object, std::string_view key,
                                                           size_t most);

// A string that begins with '/'.
Result<std::string> read_absolute_path(const JsonView& view);
Result<std::vector<std::string>> read_absolute_paths(const JsonView& object, std::string_view key);

// A string in one line, "" if it is absent: what goes into a file of the kernel's.
Result<std::string> read_line(const JsonView& object, std::string_view key);

// "NAME=VALUE" each.
Result<std::vector<std::string>> read_environment(const JsonView& object, std::string_view key);

// Whether a list of parts with `separator` between them has one that is "..".
bool has_parent_part(std::string_view path, char separator);
// A name that can be a file's in a directory, without control characters and white space.
bool is_plain_name(std::string_view name);

}  // namespace berth::bundle
