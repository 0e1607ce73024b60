// What templates compute with.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::cli::templates {

using Json = nlohmann::ordered_json;

// A place in the document, or what was made on the way (Workspace), which both last as long as the
// evaluation.
struct Value {
  const Json* json;
  bool keys_are_free = false;  // an object whose keys are somebody's data, as labels are: any may be missing
  bool absent = false;         // of such an object: the key is missing
};

// What is not there, and what is nil.
Value nothing();

// In bytes: what a template makes of one object, its output among it, so that none can fill the memory.
inline constexpr size_t kMostMade = size_t{16} << 20;

// Code::usage if something that is being made is larger than that already.
Result<> check_size(size_t bytes);

// What functions have made, kMostMade of it.
class Workspace {
 public:
  // Code::usage where it would become larger.
  Result<Value> keep(Json made);
  // The same bound for what only grows: the output.
  Result<> take_room(size_t bytes);

 private:
  std::deque<Json> made_;
  size_t bytes_ = 0;
};

// Go's rule: false are false, 0, nothing, and what is empty.
bool is_true(const Value& value);

// As Go prints: a text as it is, lists in brackets, objects as map[a:b], by their keys.
std::string plain(const Value& value);

// "a number", "a text", "a list": for what is said about it.
std::string_view kind_of(const Value& value);

// .Name. Code::usage, without a place, for a field that the value does not have, with the nearest one that it
// has.
Result<Value> field_of(const Value& value, const std::string& name);

// Less than 0, 0 or more, of two numbers or two texts. Code::usage for what has no order, or of two kinds.
Result<int> compare(const Value& left, const Value& right);

// Code::usage where two kinds stand beside each other, neither of which is nothing, or lists or objects.
Result<bool> equal(const Value& left, const Value& right);

}  // namespace berth::cli::templates
