#include "oci/json.h"

#include <nlohmann/json.hpp>

namespace berth::oci {

namespace {

constexpr size_t kMaxKeyInPath = 64;
constexpr size_t kMaxShown = 64;

// How deep the brackets of a text nest, without believing it to be valid JSON.
size_t nesting(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

// The way from `from` to `node`, its last step first, added to `steps`; false, and nothing added, if it is
// not in there. No text is made for what is passed by.
bool find_steps(const nlohmann::json& from, const nlohmann::json& node, std::vector<std::string>& steps) {
  if (&from == &node) return true;
  if (from.is_array()) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (!find_steps(from[i], node, steps)) continue;
      steps.push_back(fmt::format("[{}]", i));
      return true;
    }
  } else if (from.is_object()) {
    for (const auto& [key, value] : from.get_ref<const nlohmann::json::object_t&>()) {
      if (!find_steps(value, node, steps)) continue;
      steps.push_back(fmt::format(".{}", std::string_view(key).substr(0, kMaxKeyInPath)));
      return true;
    }
  }
  return false;
}

}  // namespace

std::string json_path(const nlohmann::json& document, const nlohmann::json& node) {
  std::vector<std::string> steps;
  find_steps(document, node, steps);
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) path += *step;
  return path.starts_with('.') ? path.substr(1) : path;
}

Result<nlohmann::json> parse_json(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return fail(Code::refused, "it has {} bytes, and at most {} are read", text.size(), max_bytes);
  }
  // The parser itself has no bound, and what comes after it may recurse.
  if (nesting(text) > kMaxJsonDepth)
    return fail(Code::refused, "it nests deeper than {} levels", kMaxJsonDepth);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    return fail(Code::refused, "it is not valid JSON (at byte {})", e.byte);
  } catch (const nlohmann::json::exception&) {
    return fail(Code::refused, "it is not valid JSON (a number is out of range)");
  }
}

Result<std::string> emit_json(const nlohmann::json& value) {
  try {
    return value.dump();
  } catch (const nlohmann::json::exception&) {
    return fail(Code::refused, "a text is not valid UTF-8, which JSON must be");
  }
}

std::string JsonView::place() const {
  const std::string path = json_path(*document_->root, *value_);
  return path.empty() ? document_->name : fmt::format("{}: {}", document_->name, path);
}

std::string JsonView::shown() const {
  if (value_->is_structured()) return value_->type_name();
  if (!value_->is_string()) return value_->dump();
  std::string text = value_->get<std::string>();
  const bool cut = text.size() > kMaxShown;
  if (cut) text.resize(kMaxShown);
  text = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
  return cut ? text + "…" : text;
}

std::unexpected<Error> JsonView::refuse(std::string_view why) const {
  return fail(Code::refused, "{}: {}", place(), why);
}

std::unexpected<Error> JsonView::refuse_value(std::string_view why) const {
  return fail(Code::refused, "{}: {} {}", place(), shown(), why);
}

std::unexpected<Error> JsonView::wrong_type(std::string_view wanted) const {
  const bool vowel = wanted.front() == 'o' || wanted.front() == 'a' || wanted.front() == 'i';
  const bool with_value = document_->values == Values::shown && !value_->is_structured();
  return fail(Code::refused, "{} must be {} {}, and is of type {}{}{}", place(), vowel ? "an" : "a", wanted,
              value_->type_name(), with_value ? ": " : "", with_value ? shown() : "");
}

Result<std::optional<JsonView>> JsonView::find(std::string_view key) const {
  if (!value_->is_object()) return wrong_type("object");
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::optional<JsonView>();
  return std::optional(JsonView(*found, document_));
}

Result<JsonView> JsonView::member(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  if (!found) return refuse(fmt::format("\"{}\" is missing", key));
  return *found;
}

Result<> JsonView::check_text(const std::string& text) const {
  if (text.find('\0') != std::string::npos) return refuse("it holds a NUL byte");
  return {};
}

Result<std::string> JsonView::string() const {
  if (!value_->is_string()) return wrong_type("string");
  const auto& text = value_->get_ref<const std::string&>();
  TRY(check_text(text));
  return text;
}

Result<int64_t> JsonView::integer() const {
  if (!value_->is_number_integer()) return wrong_type("integer");
  if (value_->is_number_unsigned() && value_->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return refuse("the number is too large");
  }
  return value_->get<int64_t>();
}

Result<int64_t> JsonView::signed_between(int64_t least, int64_t most) const {
  if (!value_->is_number_integer()) return wrong_type("integer");
  const bool fits =
      !value_->is_number_unsigned() || value_->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX);
  if (fits && value_->get<int64_t>() >= least && value_->get<int64_t>() <= most)
    return value_->get<int64_t>();
  return refuse_value(fmt::format("is not allowed, only {} to {}", least, most));
}

Result<uint64_t> JsonView::unsigned_between(uint64_t least, uint64_t most) const {
  if (!value_->is_number_integer()) return wrong_type("integer");
  // The parser takes as signed only what is negative.
  if (value_->is_number_unsigned() && value_->get<uint64_t>() >= least && value_->get<uint64_t>() <= most) {
    return value_->get<uint64_t>();
  }
  return refuse_value(fmt::format("is not allowed, only {} to {}", least, most));
}

Result<bool> JsonView::boolean() const {
  if (!value_->is_boolean()) return wrong_type("boolean");
  return value_->get<bool>();
}

Result<std::vector<JsonView>> JsonView::elements() const {
  if (!value_->is_array()) return wrong_type("array");
  std::vector<JsonView> out;
  out.reserve(value_->size());
  for (size_t i = 0; i < value_->size(); ++i) {
    out.push_back(JsonView((*value_)[i], document_));
  }
  return out;
}

Result<std::vector<std::string>> JsonView::strings() const {
  std::vector<std::string> out;
  for (const JsonView& element : TRY(elements())) out.push_back(TRY(element.string()));
  return out;
}

Result<std::vector<std::string>> JsonView::keys() const {
  if (!value_->is_object()) return wrong_type("object");
  std::vector<std::string> out;
  for (const auto& [key, unused] : value_->items()) {
    TRY(check_text(key));
    out.push_back(key);
  }
  return out;
}

Result<std::map<std::string, std::string>> JsonView::string_map() const {
  if (!value_->is_object()) return wrong_type("object");
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : value_->items()) {
    TRY(check_text(key));
    out.emplace(key, TRY(JsonView(value, document_).string()));
  }
  return out;
}

Result<std::string> JsonView::string_or_empty(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  return found ? found->string() : std::string();
}

Result<int64_t> JsonView::integer_or_zero(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  return found ? found->integer() : 0;
}

Result<bool> JsonView::boolean_or_false(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  return found ? found->boolean() : false;
}

Result<std::vector<std::string>> JsonView::strings_or_empty(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  return found ? found->strings() : std::vector<std::string>();
}

Result<std::vector<std::string>> JsonView::keys_or_empty(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  return found ? found->keys() : std::vector<std::string>();
}

Result<std::map<std::string, std::string>> JsonView::string_map_or_empty(std::string_view key) const {
  const std::optional<JsonView> found = TRY(find(key));
  return found ? found->string_map() : std::map<std::string, std::string>();
}

}  // namespace berth::oci
