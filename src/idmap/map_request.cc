#include "idmap/map_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "idmap/id_range.h"

namespace berth::idmap {

namespace {

constexpr size_t kLongestValue = 64;  // three numbers with flags need half of that
constexpr std::string_view kDigits = "0123456789";
constexpr const char* kShape =
    "It is CONTAINER:HOST:SIZE, for example 0:200000:65536; any field can be left out, and + u g may stand "
    "in "
    "front.";

// Errors about one value.
class Value {
 public:
  Value(std::string_view flag, std::string_view value) : text_(fmt::format("{} {}", flag, value)) {}

  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] std::unexpected<Error> refuse(std::string_view why, const char* hint = kShape) const {
    Error error{Code::usage, 0, fmt::format("{}: {}", text_, why), hint};
    return std::unexpected(std::move(error));
  }

  // `last` is the highest number there may be. nullopt: the field is left out.
  [[nodiscard]] Result<std::optional<uint32_t>> number(std::string_view field, uint64_t last) const {
    if (field.empty()) return std::nullopt;
    if (field.find_first_not_of(kDigits) != std::string_view::npos) {
      return refuse(fmt::format("\"{}\" is not a number", field));
    }
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
    if (error != std::errc{} || number > last) {
      return refuse(fmt::format("{} is too big: the highest ID is {}", field, kLastId), "");
    }
    return static_cast<uint32_t>(number);
  }

 private:
  std::string text_;
};

Result<> take_flags(const Value& value, std::string_view& field, MapRequest& request) {
  bool users = false;
  bool groups = false;
  while (!field.empty() && kDigits.find(field.front()) == std::string_view::npos) {
    switch (field.front()) {
      case '+':
        request.adds = true;
        break;
      case 'u':
        users = true;
        break;
      case 'g':
        groups = true;
        break;
      case '@':
        return value.refuse("@ stands before the host's ID, not before the container's");
      case '-':
        return value.refuse(fmt::format("\"{}\" is not a number", field));
      default:
        return value.refuse(fmt::format("\"{}\" is none of the flags + u g", field.front()));
    }
    field.remove_prefix(1);
  }
  if (users || groups) {
    request.for_users = users;
    request.for_groups = groups;
  }
  return {};
}

Result<std::vector<std::string_view>> fields_of(const Value& value, std::string_view text) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t colon = text.find(':');
    fields.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  if (fields.size() > 3) {
    return value.refuse("it has more than three fields; repeat the flag for more than one range");
  }
  if (fields.size() == 1 && fields.front().empty()) return value.refuse("it is empty");
  if (fields.size() == 1) {
    // The pull request that the syntax goes back to read a lone number as the host's, podman's order says the
    // container's: whoever means one of them can say so with one colon.
    return value.refuse(
        "it has one field only, which could be the container's ID or the host's",
        "0:HOST maps from the container's 0 on to a host ID, CONTAINER:: to the container's own bank.");
  }
  return fields;
}

// That `count` IDs from `first` on are all IDs.
Result<> check_end(const Value& value, uint64_t first, uint64_t count, std::string_view where) {
  if (first + count <= kLastId + 1) return {};
  return value.refuse(fmt::format("{} IDs from {} on go past the last ID {}, {}: there are {} left", count,
                                  first, where, kLastId, kLastId + 1 - first),
                      "");
}

}  // namespace

Result<MapRequest> parse_map_request(std::string_view flag, std::string_view text) {
  if (text.size() > kLongestValue) {
    return Value(flag, fmt::format("{}…", text.substr(0, kLongestValue))).refuse("it is too long");
  }
  const Value value(flag, text);
  MapRequest request;
  request.text = value.text();
  std::vector<std::string_view> fields = TRY(fields_of(value, text));
  TRY(take_flags(value, fields[0], request));
  request.inside = TRY(value.number(fields[0], kLastId)).value_or(0);
  if (!fields[1].empty() && fields[1].front() == '@') {
    request.host_terms = true;
    fields[1].remove_prefix(1);
    if (fields[1].empty()) return value.refuse("there is no host ID after the @");
  }
  request.outside = TRY(value.number(fields[1], kLastId));
  if (fields.size() == 3) request.count = TRY(value.number(fields[2], kLastId + 1));
  if (request.count == 0U) return value.refuse("a size of 0 maps nothing", "");
  if (request.outside || request.count) {
    TRY(check_end(value, request.inside, map_request_size(request), "inside the container"));
  }
  if (request.outside) {
    TRY(check_end(value, *request.outside, map_request_size(request), "of the host"));
  }
  return request;
}

std::string map_request_value(const MapRequest& request) {
  std::string value;
  if (request.adds) value += '+';
  if (!request.for_groups) value += 'u';
  if (!request.for_users) value += 'g';
  value += fmt::format("{}:", request.inside);
  if (request.outside) value += fmt::format("{}{}", request.host_terms ? "@" : "", *request.outside);
  value += ':';
  if (request.count) value += std::to_string(*request.count);
  return value;
}

Result<MapRequests> parse_map_requests(std::span<const std::string> uidmap,
                                       std::span<const std::string> gidmap) {
  MapRequests requests;
  for (const std::string& value : uidmap) {
    const MapRequest request = TRY(parse_map_request("--uidmap", value));
    if (!request.for_users && !gidmap.empty()) {
      return Value("--uidmap", value)
          .refuse("g keeps it for groups, and there is a --gidmap: write it there", "");
    }
    if (request.for_users) requests.users.push_back(request);
    if (request.for_groups && gidmap.empty()) requests.groups.push_back(request);
  }
  for (const std::string& value : gidmap) {
    const MapRequest request = TRY(parse_map_request("--gidmap", value));
    if (!request.for_groups && !uidmap.empty()) {
      return Value("--gidmap", value)
          .refuse("u keeps it for users, and there is a --uidmap: write it there", "");
    }
    if (request.for_groups) requests.groups.push_back(request);
    if (request.for_users && uidmap.empty()) requests.users.push_back(request);
  }
  return requests;
}

}  // namespace berth::idmap
