#include "oci/strict_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "oci/json.h"

namespace berth::oci {

namespace {

using nlohmann::json;

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

// Builds the document from the parser's events. Every event that returns false ends the parse, with reason()
// set.
class StrictBuilder : public nlohmann::json_sax<json> {
 public:
  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return put(value) != nullptr; }
  bool binary(binary_t& /*value*/) override { return refuse("it holds binary data"); }  // never in JSON text

  bool string(string_t& value) override {
    const bool nul = has_nul(value);
    const json* stored = put(std::move(value));
    if (stored == nullptr) return false;
    return !nul || refuse_at(*stored, "it holds a NUL byte");
  }

  bool start_object(size_t /*size*/) override { return open(json::object()); }
  bool start_array(size_t /*size*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (has_nul(name)) return refuse_at(*open_.back(), "the name of a member holds a NUL byte");
    const auto [member, is_new] = open_.back()->get_ref<json::object_t&>().emplace(std::move(name), nullptr);
    if (!is_new) return refuse_at(*open_.back(), fmt::format("\"{}\" is given twice", member->first));
    member_ = &member->second;
    return true;
  }

  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*why*/) override {
    return refuse(fmt::format("it is not valid JSON (at byte {})", position));
  }

  [[nodiscard]] const std::string& reason() const { return reason_; }
  json take() { return std::move(document_); }

 private:
  bool refuse(std::string why) {
    reason_ = std::move(why);
    return false;
  }
  bool refuse_at(const json& where, std::string_view why) {
    const std::string path = json_path(document_, where);
    return refuse(path.empty() ? std::string(why) : fmt::format("{}: {}", path, why));
  }

  // Where the value now stands; nullptr if there are too many.
  json* put(json value) {
    if (++values_ > kMaxJsonValues) {
      refuse(fmt::format("it has more than {} values", kMaxJsonValues));
      return nullptr;
    }
    if (open_.empty()) return &(document_ = std::move(value));
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::move(value));
    return &(*member_ = std::move(value));
  }

  bool open(json empty) {
    if (open_.size() == kMaxJsonDepth) {
      return refuse(fmt::format("it nests deeper than {} levels", kMaxJsonDepth));
    }
    json* stored = put(std::move(empty));
    if (stored == nullptr) return false;
    // Stays where it is while it is open: nothing is added to what is around it.
    open_.push_back(stored);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  json document_;
  std::vector<json*> open_;  // the lists and objects around the next value, the innermost last
  json* member_ = nullptr;   // of the innermost object: where the next value goes
  size_t values_ = 0;
  std::string reason_;
};

}  // namespace

Result<json> parse_strict_json(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return fail(Code::refused, "it has {} bytes, and at most {} are read", text.size(), max_bytes);
  }
  StrictBuilder builder;
  try {
    if (json::sax_parse(text, &builder)) return builder.take();
  } catch (const json::exception&) {
    return fail(Code::refused, "it is not valid JSON");
  }
  return fail(Code::refused, "{}", builder.reason());
}

}  // namespace berth::oci
