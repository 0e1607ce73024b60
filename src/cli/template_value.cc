#include "cli/template_value.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/letter_case.h"
#include "base/nearest.h"
#include "cli/json_text.h"

namespace berth::cli::templates {

namespace {

// Of an object of one of these names (bare()) the keys are data: where one is missing there is nothing, which
// is no mistake in the template.
constexpr std::array<std::string_view, 11> kFreeKeys = {
    "labels",  "annotations", "networks",   "ports",        "portbindings", "options",
    "sysctls", "volumes",     "attributes", "exposedports", "containers"};

// Fields that only some objects have, which Docker and podman have as nil in the others.
constexpr std::array<std::string_view, 4> kSometimes = {"Health", "Healthcheck", "SizeRw", "NetworkID"};

template <size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

size_t size_of(const Json& value) {
  constexpr size_t kEach = 32;
  if (value.is_string()) return kEach + value.get_ref<const std::string&>().size();
  size_t sum = kEach;
  for (const Json& element : value) {
    if (!value.is_structured()) break;
    sum += size_of(element);
  }
  return sum;
}

std::string text_of(const Json& value);

std::string object_text(const Json& value) {
  std::vector<std::pair<std::string, const Json*>> members;
  for (const auto& [key, element] : value.items()) members.emplace_back(key, &element);
  std::sort(members.begin(), members.end());
  std::vector<std::string> words;
  words.reserve(members.size());
  for (const auto& [key, element] : members) words.push_back(fmt::format("{}:{}", key, text_of(*element)));
  return fmt::format("map[{}]", fmt::join(words, " "));
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "<nil>";
  if (value.is_object()) return object_text(value);
  if (!value.is_array()) return json_text(value, -1);
  std::vector<std::string> words;
  words.reserve(value.size());
  for (const Json& element : value) words.push_back(text_of(element));
  return fmt::format("[{}]", fmt::join(words, " "));
}

// Without what tells "IPv6Enabled" and "ipv6_enabled" apart.
std::string bare(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c != '_') letters += small(c);
  }
  return letters;
}

// What JSON calls lease_range is LeaseRange in podman's templates, and Docker says Id where podman says ID:
// people's scripts have all of them. Never where the keys are data.
const Json* same_word(const Json& object, std::string_view name) {
  const std::string wanted = bare(name);
  for (const auto& [key, element] : object.items()) {
    if (bare(key) == wanted) return &element;
  }
  return nullptr;
}

std::unexpected<Error> no_field(const Json& value, const std::string& name) {
  std::vector<std::string> names;
  if (value.is_object()) {
    for (const auto& [key, element] : value.items()) names.push_back(key);
  }
  Error error = fail(Code::usage, "there is no field .{}", name).error();
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(name, views);
  if (!near.empty()) {
    error.hint = fmt::format("Did you mean .{}?", near);
  } else if (!names.empty()) {
    error.hint = fmt::format("The fields are .{}.", fmt::join(names, ", ."));
  }
  return std::unexpected(std::move(error));
}

template <typename T>
int order(const T& left, const T& right) {
  return left < right ? -1 : right < left ? 1 : 0;
}

int order_numbers(const Json& left, const Json& right) {
  if (left.is_number_float() || right.is_number_float())
    return order(left.get<double>(), right.get<double>());
  const bool left_large = left.is_number_unsigned();
  const bool right_large = right.is_number_unsigned();
  if (left_large && right_large) return order(left.get<uint64_t>(), right.get<uint64_t>());
  // One that is kept with a sign may be 0 or more all the same.
  if (left_large) return right.get<int64_t>() < 0 ? 1 : order(left.get<uint64_t>(), right.get<uint64_t>());
  if (right_large) return left.get<int64_t>() < 0 ? -1 : order(left.get<uint64_t>(), right.get<uint64_t>());
  return order(left.get<int64_t>(), right.get<int64_t>());
}

}  // namespace

Value nothing() {
  static const Json kNothing = nullptr;
  return Value{.json = &kNothing};
}

Result<Value> Workspace::keep(Json made) {
  TRY(take_room(size_of(made)));
  return Value{.json = &made_.emplace_back(std::move(made))};
}

Result<> check_size(size_t bytes) {
  if (bytes <= kMostMade) return {};
  return fail(Code::usage, "what the template makes of one object is more than {} MiB", kMostMade >> 20U);
}

Result<> Workspace::take_room(size_t bytes) {
  TRY(check_size(std::min(bytes, kMostMade + 1) + bytes_));
  bytes_ += bytes;
  return {};
}

bool is_true(const Value& value) {
  const Json& json = *value.json;
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>() != 0;
  if (json.is_number()) return json.get<int64_t>() != 0;
  if (json.is_string()) return !json.get_ref<const std::string&>().empty();
  return !json.empty();
}

std::string plain(const Value& value) {
  return value.absent ? "<no value>" : text_of(*value.json);
}

std::string_view kind_of(const Value& value) {
  const Json& json = *value.json;
  if (json.is_string()) return "a text";
  if (json.is_boolean()) return "true or false";
  if (json.is_number()) return "a number";
  if (json.is_array()) return "a list";
  return json.is_object() ? "an object with fields" : "nothing";
}

Result<Value> field_of(const Value& value, const std::string& name) {
  const Json& json = *value.json;
  if (json.is_null()) {
    Error error = fail(Code::usage, "there is nothing here that .{} could be of", name).error();
    return std::unexpected(
        std::move(error).with_hint("{{with .What}}{{.Field}}{{end}} leaves out what is not there."));
  }
  if (!json.is_object()) return fail(Code::usage, ".{} is asked of {}", name, kind_of(value));
  const auto member = json.find(name);
  const Json* found = member != json.end() ? &*member : value.keys_are_free ? nullptr : same_word(json, name);
  if (found != nullptr) return Value{.json = found, .keys_are_free = is_among(kFreeKeys, bare(name))};
  if (!value.keys_are_free && !is_among(kSometimes, name)) return no_field(json, name);
  Value missing = nothing();
  missing.absent = true;
  return missing;
}

Result<int> compare(const Value& left, const Value& right) {
  if (left.json->is_number() && right.json->is_number()) return order_numbers(*left.json, *right.json);
  if (left.json->is_string() && right.json->is_string())
    return order(left.json->get_ref<const std::string&>(), right.json->get_ref<const std::string&>());
  return fail(Code::usage, "{} and {} have no order", kind_of(left), kind_of(right));
}

Result<bool> equal(const Value& left, const Value& right) {
  if (left.json->is_null() || right.json->is_null()) return left.json->is_null() == right.json->is_null();
  if (left.json->is_boolean() && right.json->is_boolean()) return *left.json == *right.json;
  if (left.json->is_structured() || right.json->is_structured())
    return fail(Code::usage, "{} can't be compared", kind_of(left.json->is_structured() ? left : right));
  if (kind_of(left) != kind_of(right))
    return fail(Code::usage, "{} can't be compared with {}", kind_of(left), kind_of(right));
  return TRY(compare(left, right)) == 0;
}

}  // namespace berth::cli::templates
