#include "cli/template_functions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/letter_case.h"
#include "base/nearest.h"
#include "cli/json_text.h"
#include "cli/template_printf.h"

namespace berth::cli::templates {

namespace {

using Given = std::span<const Value>;
constexpr size_t kAny = SIZE_MAX;
constexpr int64_t kWidest = 1000;

Result<std::string> text(const Value& value) {
  if (value.json->is_string()) return value.json->get<std::string>();
  if (value.json->is_null()) return std::string();
  return fail(Code::usage, "a text is wanted, and here is {}", kind_of(value));
}

Result<int64_t> whole(const Value& value) {
  if (value.json->is_number_integer()) return value.json->get<int64_t>();
  return fail(Code::usage, "a whole number is wanted, and here is {}", kind_of(value));
}

Result<Value> not_true(Given given, Workspace& space) {
  return space.keep(!is_true(given[0]));
}

// Of several, one has to be equal to the first.
Result<Value> eq(Given given, Workspace& space) {
  bool any = false;
  for (const Value& other : given.subspan(1)) any = TRY(equal(given[0], other)) || any;
  return space.keep(any);
}

Result<Value> ne(Given given, Workspace& space) {
  return space.keep(!TRY(equal(given[0], given[1])));
}

Result<Value> lt(Given given, Workspace& space) {
  return space.keep(TRY(compare(given[0], given[1])) < 0);
}

Result<Value> le(Given given, Workspace& space) {
  return space.keep(TRY(compare(given[0], given[1])) <= 0);
}

Result<Value> gt(Given given, Workspace& space) {
  return space.keep(TRY(compare(given[0], given[1])) > 0);
}

Result<Value> ge(Given given, Workspace& space) {
  return space.keep(TRY(compare(given[0], given[1])) >= 0);
}

// What Go has for a key that is missing: of texts the empty one.
Result<Value> missing_key(const Value& map, Workspace& space) {
  if (map.json->empty() || map.json->begin()->is_string()) return space.keep("");
  Value missing = nothing();
  missing.absent = true;
  return missing;
}

Result<Value> index_once(const Value& of, const Value& key, Workspace& space) {
  const Json& json = *of.json;
  if (json.is_object()) {
    const auto found = json.find(TRY(text(key)));
    if (found == json.end()) return missing_key(of, space);
    return Value{.json = &*found};
  }
  if (!json.is_array()) return fail(Code::usage, "{} has no elements", kind_of(of));
  const int64_t number = TRY(whole(key));
  if (number < 0 || static_cast<uint64_t>(number) >= json.size())
    return fail(Code::usage, "there is no element {} among {}", number, json.size());
  return Value{.json = &json[static_cast<size_t>(number)]};
}

Result<Value> index(Given given, Workspace& space) {
  Value value = given[0];
  for (const Value& key : given.subspan(1)) value = TRY(index_once(value, key, space));
  return value;
}

size_t length(const Json& json) {
  return json.is_string() ? json.get_ref<const std::string&>().size() : json.size();
}

Result<Value> len(Given given, Workspace& space) {
  const Json& json = *given[0].json;
  if (json.is_string() || json.is_structured() || json.is_null()) return space.keep(length(json));
  return fail(Code::usage, "{} has no length", kind_of(given[0]));
}

Result<Value> slice(Given given, Workspace& space) {
  const Json& json = *given[0].json;
  if (!json.is_string() && !json.is_array()) return fail(Code::usage, "{} has no parts", kind_of(given[0]));
  const auto size = static_cast<int64_t>(length(json));
  const int64_t begin = given.size() > 1 ? TRY(whole(given[1])) : 0;
  const int64_t end = given.size() > 2 ? TRY(whole(given[2])) : size;
  if (begin < 0 || begin > end || end > size)
    return fail(Code::usage, "from {} to {} is no part of {}", begin, end, size);
  if (json.is_string()) {
    return space.keep(json.get_ref<const std::string&>().substr(static_cast<size_t>(begin),
                                                                static_cast<size_t>(end - begin)));
  }
  return space.keep(Json(std::vector<Json>(json.begin() + begin, json.begin() + end)));
}

// Spaces stand between two neither of which is a text.
Result<Value> print(Given given, Workspace& space) {
  std::string out;
  for (size_t i = 0; i < given.size(); ++i) {
    const bool spaced = i > 0 && !given[i].json->is_string() && !given[i - 1].json->is_string();
    out += (spaced ? " " : "") + plain(given[i]);
    TRY(check_size(out.size()));
  }
  return space.keep(std::move(out));
}

Result<Value> println(Given given, Workspace& space) {
  std::string out;
  for (const Value& value : given) {
    out += (out.empty() ? "" : " ") + plain(value);
    TRY(check_size(out.size()));
  }
  return space.keep(out + "\n");
}

Result<Value> printf(Given given, Workspace& space) {
  const std::string format = TRY(text(given[0]));
  return space.keep(TRY(formatted(format, given.subspan(1))));
}

Result<Value> json(Given given, Workspace& space) {
  return space.keep(json_text(*given[0].json, -1));
}

Result<Value> join(Given given, Workspace& space) {
  const Json& list = *given[0].json;
  if (!list.is_array() && !list.is_null())
    return fail(Code::usage, "a list is wanted, and here is {}", kind_of(given[0]));
  const std::string separator = TRY(text(given[1]));
  TRY(check_size(list.size() * separator.size()));
  std::vector<std::string> words;
  for (const Json& element : list) words.push_back(plain(Value{.json = &element}));
  return space.keep(fmt::format("{}", fmt::join(words, separator)));
}

Result<Value> split(Given given, Workspace& space) {
  const std::string all = TRY(text(given[0]));
  const std::string separator = TRY(text(given[1]));
  if (separator.empty()) return fail(Code::usage, "what separates the parts is empty");
  Json parts = Json::array();
  size_t begin = 0;
  while (true) {
    const size_t end = all.find(separator, begin);
    parts.push_back(all.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) return space.keep(std::move(parts));
    begin = end + separator.size();
    constexpr size_t kEach = 32;
    TRY(check_size(parts.size() * kEach));
  }
}

Result<Value> lower(Given given, Workspace& space) {
  return space.keep(small(TRY(text(given[0]))));
}

Result<Value> upper(Given given, Workspace& space) {
  return space.keep(capital(TRY(text(given[0]))));
}

Result<Value> title(Given given, Workspace& space) {
  std::string changed = TRY(text(given[0]));
  bool begins = true;
  for (char& c : changed) {
    if (begins) c = capital(c);
    begins = c == ' ' || c == '\t' || c == '\n';
  }
  return space.keep(std::move(changed));
}

// Docker's: so many spaces before and after what is not empty.
Result<Value> pad(Given given, Workspace& space) {
  const std::string padded = TRY(text(given[0]));
  const int64_t before = TRY(whole(given[1]));
  const int64_t after = TRY(whole(given[2]));
  if (before < 0 || after < 0 || before > kWidest || after > kWidest)
    return fail(Code::usage, "it is 0 to {} spaces", kWidest);
  if (padded.empty()) return space.keep("");
  return space.keep(std::string(static_cast<size_t>(before), ' ') + padded +
                    std::string(static_cast<size_t>(after), ' '));
}

// So many characters at most.
Result<Value> truncate(Given given, Workspace& space) {
  std::string cut = TRY(text(given[0]));
  const int64_t most = TRY(whole(given[1]));
  if (most < 0) return fail(Code::usage, "{} is no length", most);
  cut.resize(bytes_of_characters(cut, static_cast<size_t>(most)));
  return space.keep(std::move(cut));
}

struct Function {
  std::string_view name;
  size_t least;
  size_t most;
  Result<Value> (*run)(Given, Workspace&);  // nullptr: and, or
};

constexpr std::array kFunctions = {
    Function{"and", 1, kAny, nullptr},
    Function{"or", 1, kAny, nullptr},
    Function{"not", 1, 1, not_true},
    Function{"eq", 2, kAny, eq},
    Function{"ne", 2, 2, ne},
    Function{"lt", 2, 2, lt},
    Function{"le", 2, 2, le},
    Function{"gt", 2, 2, gt},
    Function{"ge", 2, 2, ge},
    Function{"index", 1, kAny, index},
    Function{"slice", 1, 3, slice},
    Function{"len", 1, 1, len},
    Function{"print", 0, kAny, print},
    Function{"println", 0, kAny, println},
    Function{"printf", 1, kAny, printf},
    Function{"json", 1, 1, json},
    Function{"join", 2, 2, join},
    Function{"split", 2, 2, split},
    Function{"lower", 1, 1, lower},
    Function{"upper", 1, 1, upper},
    Function{"title", 1, 1, title},
    Function{"truncate", 2, 2, truncate},
    Function{"pad", 3, 3, pad},
};

const Function* function_called(std::string_view name) {
  const auto* const found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                         [&](const Function& function) { return function.name == name; });
  return found == kFunctions.end() ? nullptr : found;
}

}  // namespace

Result<> check_function(Place place, std::string_view name) {
  if (function_called(name) != nullptr) return {};
  std::vector<std::string_view> names;
  for (const Function& function : kFunctions) names.push_back(function.name);
  Error error = error_text(place, fmt::format("there is no function {}", name));
  const std::string_view near = nearest(name, names);
  if (!near.empty()) {
    error.hint = fmt::format("Did you mean {}? A field has a dot before it: .{}", near, name);
  } else {
    error.hint =
        fmt::format("A field has a dot before it, .{}; the functions are {}.", name, fmt::join(names, ", "));
  }
  return std::unexpected(std::move(error));
}

Result<Value> call(std::string_view name, std::span<const Value> given, Workspace& space) {
  const Function* const function = function_called(name);
  if (function == nullptr || given.size() < function->least || given.size() > function->most)
    return fail(Code::usage, "{}: it does not take {} value{}", name, given.size(),
                given.size() == 1 ? "" : "s");
  if (function->run == nullptr) return given.back();
  Result<Value> result = function->run(given, space);
  if (!result) return std::unexpected(std::move(result).error().context(name));
  return result;
}

}  // namespace berth::cli::templates
