// Reading untrusted JSON: a bounded parse, and views whose errors name the place in the document.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
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

// Where `node`, an element or member of `document` at any depth, stands in it: "layers[2].digest"; "" for the
// document itself. Walks the document.
std::string json_path(const nlohmann::json& document, const nlohmann::json& node);

// One value in a document, which must outlive the view, and where it stands. A wrong type is an error such as
// "config.Env[2] must be a string, and is a number". Strings with a NUL byte are refused: none of them could
// be passed to a program or the kernel whole.
class JsonView {
 public:
  // Whether errors about a wrong type also show the value: not where it may be a secret.
  enum class Values { hidden, shown };
  // The whole document; `name` is what it is called in errors ("the manifest").
  JsonView(const nlohmann::json& document, std::string name, Values values = Values::hidden)
      : value_(&document), document_(std::make_shared<Document>(&document, std::move(name), values)) {}

  // A member of this object; none if it is absent or null. An error if this is not an object.
  [[nodiscard]] Result<std::optional<JsonView>> find(std::string_view key) const;
  // The same, and absence is an error.
  [[nodiscard]] Result<JsonView> member(std::string_view key) const;

  [[nodiscard]] Result<std::string> string() const;
  [[nodiscard]] Result<int64_t> integer() const;
  // A whole number from `least` to `most`, of any integer type.
  template <typename T>
  [[nodiscard]] Result<T> number(T least = std::numeric_limits<T>::min(),
                                 T most = std::numeric_limits<T>::max()) const {
    if constexpr (std::is_signed_v<T>) return static_cast<T>(TRY(signed_between(least, most)));
    if constexpr (!std::is_signed_v<T>) return static_cast<T>(TRY(unsigned_between(least, most)));
  }
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
  // The same with the value before the reason: "<place>: <value> <why>".
  [[nodiscard]] std::unexpected<Error> refuse_value(std::string_view why) const;
  // Where this is: "the manifest: layers[2].digest". Found out only when it is asked for, so that a document
  // without errors costs no text.
  [[nodiscard]] std::string place() const;
  // A string, number or boolean as it stands in the document, cut if it is long; else its type.
  [[nodiscard]] std::string shown() const;
  // This value as a document of its own.
  [[nodiscard]] Result<std::string> text() const { return emit_json(*value_); }

 private:
  struct Document {
    Document(const nlohmann::json* whole, std::string called, Values shown_or_not)
        : root(whole), name(std::move(called)), values(shown_or_not) {}
    const nlohmann::json* root;
    std::string name;
    Values values;
  };
  JsonView(const nlohmann::json& value, std::shared_ptr<const Document> document)
      : value_(&value), document_(std::move(document)) {}
  [[nodiscard]] Result<int64_t> signed_between(int64_t least, int64_t most) const;
  [[nodiscard]] Result<uint64_t> unsigned_between(uint64_t least, uint64_t most) const;
  [[nodiscard]] std::unexpected<Error> wrong_type(std::string_view wanted) const;
  [[nodiscard]] Result<> check_text(const std::string& text) const;
  const nlohmann::json* value_;
  std::shared_ptr<const Document> document_;
};

}  // namespace berth::oci
