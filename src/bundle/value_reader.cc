#include "bundle/value_reader.h"

#include <algorithm>

#include "base/fields.h"
#include "idmap/id_range.h"

namespace berth::bundle {

namespace {

// What a string list may have: as many as an exec could take, and more than any list of names.
constexpr size_t kMaxEnvironment = size_t{1} << 16;

Result<> check_size(const JsonView& list, size_t size, size_t most) {
  if (size <= most) return {};
  return list.refuse(fmt::format("{} elements are not allowed, only {}", size, most));
}

}  // namespace

void warn(Warnings& warnings, const JsonView& view, std::string_view why) {
  constexpr size_t kMaxWarnings = 20;
  if (warnings.size() > kMaxWarnings) return;
  warnings.push_back(warnings.size() < kMaxWarnings ? fmt::format("{}: {}", view.place(), why)
                                                    : "there are more warnings, which are left out");
}

Result<uint32_t> read_id(const JsonView& view) {
  return view.number<uint32_t>(0, idmap::kLastId);
}

Result<std::optional<bool>> read_boolean(const JsonView& object, std::string_view key) {
  const std::optional<JsonView> found = TRY(object.find(key));
  if (!found) return std::optional<bool>();
  return std::optional(TRY(found->boolean()));
}

Result<std::vector<JsonView>> read_list(const JsonView& object, std::string_view key, size_t most) {
  const std::optional<JsonView> found = TRY(object.find(key));
  if (!found) return std::vector<JsonView>();
  std::vector<JsonView> elements = TRY(found->elements());
  TRY(check_size(*found, elements.size(), most));
  return elements;
}

Result<std::vector<std::string>> read_strings(const JsonView& object, std::string_view key, size_t most) {
  const std::vector<JsonView> elements = TRY(read_list(object, key, most));
  std::vector<std::string> strings;
  strings.reserve(elements.size());
  for (const JsonView& element : elements) strings.push_back(TRY(element.string()));
  return strings;
}

Result<std::map<std::string, std::string>> read_string_map(const JsonView& object, std::string_view key,
                                                           size_t most) {
  const std::optional<JsonView> found = TRY(object.find(key));
  if (!found) return std::map<std::string, std::string>();
  std::map<std::string, std::string> members = TRY(found->string_map());
  TRY(check_size(*found, members.size(), most));
  if (members.contains("")) return found->refuse("a name is empty");
  return members;
}

Result<std::string> read_absolute_path(const JsonView& view) {
  std::string path = TRY(view.string());
  if (!path.starts_with('/')) return view.refuse_value("is not allowed, it must begin with \"/\"");
  return path;
}

Result<std::vector<std::string>> read_absolute_paths(const JsonView& object, std::string_view key) {
  constexpr size_t kMost = 4096;
  const std::vector<JsonView> elements = TRY(read_list(object, key, kMost));
  std::vector<std::string> paths;
  for (const JsonView& element : elements) paths.push_back(TRY(read_absolute_path(element)));
  return paths;
}

Result<std::string> read_line(const JsonView& object, std::string_view key) {
  const std::optional<JsonView> found = TRY(object.find(key));
  if (!found) return std::string();
  std::string line = TRY(found->string());
  if (line.find('\n') != std::string::npos)
    return found->refuse_value("is not allowed, it has several lines");
  return line;
}

Result<std::vector<std::string>> read_environment(const JsonView& object, std::string_view key) {
  const std::vector<JsonView> elements = TRY(read_list(object, key, kMaxEnvironment));
  std::vector<std::string> entries;
  entries.reserve(elements.size());
  for (const JsonView& element : elements) {
    std::string entry = TRY(element.string());
    const size_t name_length = entry.find('=');
    if (name_length == 0 || name_length == std::string::npos) {
      return element.refuse_value("is not allowed, it must be NAME=VALUE");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool has_parent_part(std::string_view path, char separator) {
  while (!path.empty()) {
    if (take_until(path, separator) == "..") return true;
  }
  return false;
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '/'; });
}

}  // namespace berth::bundle
