#include "cli/template.h"

#include <algorithm>

#include "base/nearest.h"
#include "cli/json_text.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 't' || next == 'n' || next == '\\') {
      out += next == 't' ? '\t' : next == 'n' ? '\n' : '\\';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// As Go prints: text as it is, lists in brackets with spaces, maps as map[a:b].
std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "<nil>";
  if (value.is_array()) {
    std::vector<std::string> words;
    for (const Json& element : value) words.push_back(plain(element));
    return fmt::format("[{}]", fmt::join(words, " "));
  }
  if (value.is_object()) {
    std::vector<std::string> words;
    for (const auto& [key, element] : value.items())
      words.push_back(fmt::format("{}:{}", key, plain(element)));
    return fmt::format("map[{}]", fmt::join(words, " "));
  }
  return json_text(value, -1);
}

Result<const Json*> member(const Json& value, const std::string& name) {
  if (value.is_object() && value.contains(name)) return &value[name];
  std::vector<std::string> names;
  if (value.is_object()) {
    for (const auto& [key, element] : value.items()) names.push_back(key);
  }
  Error error = fail(Code::usage, "--format: there is no field .{}", name).error();
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(name, views);
  if (!near.empty()) {
    error.hint = fmt::format("Did you mean .{}?", near);
  } else if (!names.empty()) {
    error.hint = fmt::format("The fields are .{}.", fmt::join(names, ", ."));
  }
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  Template parsed;
  while (!text.empty()) {
    const size_t open = std::min(text.find("{{"), text.size());
    if (open > 0) parsed.parts_.push_back(Part{.literal = unescaped(text.substr(0, open))});
    text.remove_prefix(open);
    if (text.empty()) break;
    const size_t close = text.find("}}");
    if (close == std::string_view::npos)
      return fail(Code::usage, "--format: a \"{{{{\" without its \"}}}}\"");
    const std::string_view inside = trimmed(text.substr(2, close - 2));
    text.remove_prefix(close + 2);
    Part part{.field = true};
    std::string_view path = inside;
    if (path.starts_with("json ")) {
      part.json = true;
      path = trimmed(path.substr(5));
    }
    if (!path.starts_with('.') || path.find_first_of(" |()\"") != std::string_view::npos) {
      Error error = fail(Code::usage, "--format: \"{{{{{}}}}}\" is not understood", inside).error();
      return std::unexpected(
          std::move(error).with_hint("A field is {{.Name}}, {{.Name.Inner}} or {{json .Name}}."));
    }
    path.remove_prefix(1);
    while (!path.empty()) {
      const size_t dot = std::min(path.find('.'), path.size());
      part.path.emplace_back(path.substr(0, dot));
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    std::string heading = part.path.empty() ? "" : part.path.back();
    std::transform(heading.begin(), heading.end(), heading.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    parsed.fields_.push_back(std::move(heading));
    parsed.parts_.push_back(std::move(part));
  }
  return parsed;
}

Result<std::string> Template::expand(const Json& value) const {
  std::string out;
  for (const Part& part : parts_) {
    if (!part.field) {
      out += part.literal;
      continue;
    }
    const Json* found = &value;
    for (const std::string& name : part.path) found = TRY(member(*found, name));
    out += part.json ? json_text(*found, -1) : plain(*found);
  }
  return out;
}

}  // namespace berth::cli
