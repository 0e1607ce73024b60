#include "config/document.h"

#include "config/document_scan.h"

// The library in this one file: no shared library to load on the way of a start, and these settings.
//
// Some of its assertions fail on malformed input ("[,"), and with NDEBUG the compiler may assume that they do
// not. Here each is an exception instead, and so are its errors. Its tables destroy themselves recursively,
// so how deep they can nest is bounded here and in scan_document().
namespace berth::config {
namespace {
struct AssertionFailed {};
[[noreturn]] void assertion_failed() {
  throw AssertionFailed{};
}
}  // namespace
}  // namespace berth::config
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : berth::config::assertion_failed())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

namespace berth::config {

namespace {

uint32_t line_of(const toml::source_region& region) {
  return static_cast<uint32_t>(region.begin.line);
}

Value value_of(const toml::node& node) {
  Value value;
  value.line = line_of(node.source());
  if (const auto* boolean = node.as_boolean()) {
    value.kind = Kind::boolean;
    value.boolean = boolean->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Kind::integer;
    value.integer = integer->get();
  } else if (const auto* text = node.as_string()) {
    value.kind = Kind::text;
    value.text = text->get();
  } else if (const auto* array = node.as_array()) {
    value.kind = Kind::array;
    for (const toml::node& item : *array) value.items.push_back(value_of(item));
  } else if (const auto* table = node.as_table()) {
    value.kind = Kind::table;
    for (const auto& [key, member] : *table) {
      value.members.push_back({std::string(key.str()), line_of(key.source()), value_of(member)});
    }
  }
  return value;
}

}  // namespace

std::string_view describe(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "a number";
    case Kind::text:
      return "a string";
    case Kind::array:
      return "a list";
    case Kind::table:
      return "a table";
    case Kind::other:
      return "a fraction or a date";
  }
  return "";
}

Result<Value> parse_document(std::string_view text, const std::string& file) {
  if (text.size() > kMaxDocumentBytes) {
    return fail(Code::refused, "{}: it has {} bytes, and at most {} are read", file, text.size(),
                kMaxDocumentBytes);
  }
  const std::string ascii = TRY(scan_document(text, file));
  try {
    return value_of(toml::parse(ascii));
  } catch (const toml::parse_error& error) {
    return fail(Code::refused, "{}:{}: this is not TOML: {}", file, line_of(error.source()),
                error.description());
  } catch (const AssertionFailed&) {
    return fail(Code::refused, "{}: this is not TOML", file);
  }
}

}  // namespace berth::config
