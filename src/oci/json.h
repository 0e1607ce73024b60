// Reading untrusted JSON: a bounded parse, and views whose errors name the place in the document.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::oci {

// No document of the OCI specifications nests deeper than this by far.
inline constexpr size_t kMaxJsonDepth = 64;

// Parses a document of at most `max_bytes`, nested at most kMaxJsonDepth deep. Code::refused with the
// position.
Result<nlohmann::json> parse_json(std::string_view text, size_t max_bytes);

// The document without superfluous white space. Code::refused where a string is not UTF-8.
Result<std::string> emit_json(const nlohmann::json& value);

// One value in a document, which must outlive the view, and where it stands. A wrong type is an error such as
// "config.Env[2] must be a string, and is a number". Strings with a NUL byte are refused: none of them could
// be passed to a program or the kernel whole.
class JsonView {
 public:
  // The whole document; `name` is what it is called in errors ("the manifest").
  JsonView(const nlohmann::json& document, std::string name) : value_(&document), name_(std::move(name)) {}

  // A member of this object; none if it is absent or null. An error if this is not an object.
  [[nodiscard]] Result<std::optional<JsonView>> find(std::string_view key) const;
  // The same, and absence is an error.
  [[nodiscard]] Result<JsonView> member(std::string_view key) const;

  [[nodiscard]] Result<std::string> string() const;
  [[nodiscard]] Result<int64_t> integer() const;
  [[nodiscard]] Result<bool> boolean() const;
  [[nodiscard]] Result<std::vector<JsonView>> elements() const;
  [[nodiscard]] Result<std::vector<std::string>> strings() const;
  // The names of an object's members, sorted.
  [[nodiscard]] Result<std::vector<std::string>> keys() const;
  [[nodiscard]] Result<std::map<std::string, std::string>> string_map() const;

  // Members that may be missing or null: then "", 0, false or empty.
  [[nodiscard]] Result<std::string> string_or_empty(std::string_view key) const;
  [[nodiscard]] Result<int64_t> integer_or_zero(std::string_view key) const;
  [[nodiscard]] Result<bool> boolean_or_false(std::string_view key) const;
  [[nodiscard]] Result<std::vector<std::string>> strings_or_empty(std::string_view key) const;
  [[nodiscard]] Result<std::vector<std::string>> keys_or_empty(std::string_view key) const;
  [[nodiscard]] Result<std::map<std::string, std::string>> string_map_or_empty(std::string_view key) const;

  // An error about this value: "<place>: <why>".
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view why) const;
  // Where this is: "the manifest: layers[2].digest".
  [[nodiscard]] std::string place() const;

 private:
  JsonView(const nlohmann::json& value, std::string name, std::string path)
      : value_(&value), name_(std::move(name)), path_(std::move(path)) {}
  [[nodiscard]] std::unexpected<Error> wrong_type(std::string_view wanted) const;
  [[nodiscard]] Result<> check_text(const std::string& text) const;
  [[nodiscard]] JsonView child(const nlohmann::json& value, std::string_view key) const;
  const nlohmann::json* value_;
  std::string name_;
  std::string path_;
};

}  // namespace berth::oci
