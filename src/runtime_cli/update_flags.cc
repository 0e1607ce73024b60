#include "runtime_cli/update_flags.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/fields.h"
#include "base/letter_case.h"
#include "oci/json.h"

namespace berth::runtime_cli {

namespace {

// "64m": a whole number with a unit as others write them, b, k, m, g or t, each of the last four also with
// "b" or "ib" behind it.
std::optional<int64_t> bytes_of(std::string_view text) {
  if (text == "-1") return -1;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<int64_t> value = whole_number<int64_t>(text.substr(0, digits));
  const std::string unit = small(text.substr(digits));
  if (!value) return std::nullopt;
  if (unit.empty() || unit == "b") return value;
  const size_t place = std::string_view("kmgt").find(unit.front());
  const std::string_view rest = std::string_view(unit).substr(1);
  if (place == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
  const int shift = 10 * (static_cast<int>(place) + 1);
  if (*value > (std::numeric_limits<int64_t>::max() >> shift)) return std::nullopt;
  return *value << shift;
}

Result<nlohmann::json> value_of(const UpdateFlag& flag, const std::string& text) {
  if (flag.kind == ValueKind::text) return text;
  if (flag.kind == ValueKind::bytes) {
    const std::optional<int64_t> bytes = bytes_of(text);
    if (bytes) return *bytes;
    return fail(Code::usage, "{} {}: it is a number of bytes with an optional unit (b, k, m, g, t), or -1",
                flag.name, text);
  }
  if (const std::optional<int64_t> number = whole_number<int64_t>(text)) return *number;
  if (const std::optional<uint64_t> number = whole_number<uint64_t>(text)) return *number;
  return fail(Code::usage, "{} {}: it is a whole number", flag.name, text);
}

}  // namespace

Result<bundle::Resources> resources_of(const UpdateValues& values) {
  nlohmann::json document = nlohmann::json::object();
  for (size_t i = 0; i < values.size(); ++i) {
    const UpdateFlag& flag = kUpdateFlags.at(i);
    const std::optional<std::string>& text = values.at(i);
    if (!text || text->empty()) continue;
    document[std::string(flag.object)][std::string(flag.member)] = TRY(value_of(flag, *text));
  }
  const std::string text = TRY(oci::emit_json(document));
  return bundle::parse_resources(text);
}

}  // namespace berth::runtime_cli
