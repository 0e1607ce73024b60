#include "idmap/userns_mode.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/nearest.h"
#include "idmap/id_range.h"

namespace berth::idmap {

namespace {

constexpr size_t kLongestValue = 4096 + 16;  // PATH_MAX and the word before it
constexpr const char* kHint =
    "The modes are private, host, keep-id[:uid=N,gid=N], container:NAME, ns:PATH and auto[:size=N].";

std::unexpected<Error> refuse(std::string_view value, std::string_view why, std::string hint = kHint) {
  return std::unexpected(Error{Code::usage, 0, fmt::format("--userns {}: {}", value, why), std::move(hint)});
}

struct Option {
  std::string_view key;
  std::string_view value;
};

// "key=value,key=value"; each key of `known`, and none without a value.
Result<std::vector<Option>> options_of(std::string_view mode, std::string_view text,
                                       std::span<const std::string_view> known) {
  std::vector<Option> options;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string_view near = nearest(key, known);
      return refuse(mode, fmt::format("it has no option \"{}\"", key),
                    near.empty() ? kHint : fmt::format("Did you mean {}=?", near));
    }
    if (equals == std::string_view::npos || equals + 1 == part.size()) {
      return refuse(mode, fmt::format("{} needs a value: {}=N", key, key));
    }
    options.push_back({key, part.substr(equals + 1)});
    if (comma == std::string_view::npos) return options;
    text.remove_prefix(comma + 1);
  }
}

Result<uint32_t> number(std::string_view mode, const Option& option, uint64_t last) {
  uint64_t value = 0;
  const std::string_view text = option.value;
  if (text.find_first_not_of("0123456789") != std::string_view::npos) {
    return refuse(mode, fmt::format("{}={} is not a number", option.key, text), "");
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > last) {
    return refuse(mode, fmt::format("{}={} is too big: the highest is {}", option.key, text, last), "");
  }
  return static_cast<uint32_t>(value);
}

Result<> set_once(std::string_view mode, const Option& option, uint64_t last,
                  std::optional<uint32_t>& place) {
  if (place) return refuse(mode, fmt::format("{} is given twice", option.key), "");
  place = TRY(number(mode, option, last));
  return {};
}

Result<UsernsMode> parse_keep_id(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kOptions{"uid", "gid", "size"};
  UsernsKeepId mode;
  for (const Option& option : TRY(options_of("keep-id", text, kOptions))) {
    if (option.key == "size") {
      return refuse("keep-id", "size= is for engines without root, whose IDs are few; a container has a bank",
                    "");
    }
    TRY(set_once("keep-id", option, kLastId, option.key == "uid" ? mode.uid : mode.gid));
  }
  return mode;
}

// "uidmapping=C:H:S" of auto: as --uidmap +uC:H:S.
Result<MapRequest> parse_auto_mapping(const Option& option) {
  const std::string flag = fmt::format("--userns auto:{}", option.key);
  MapRequest request = TRY(parse_map_request(flag, option.value));
  if (request.adds || !request.for_users || !request.for_groups) {
    return refuse("auto", fmt::format("{}={}: the flags + u g are for --uidmap and --gidmap", option.key,
                                      option.value));
  }
  const bool users = option.key == "uidmapping";
  request.adds = true;
  request.for_users = users;
  request.for_groups = !users;
  return request;
}

Result<UsernsMode> parse_auto(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kOptions{"size", "uidmapping", "gidmapping"};
  UsernsAuto mode;
  for (const Option& option : TRY(options_of("auto", text, kOptions))) {
    if (option.key == "size") {
      TRY(set_once("auto", option, kLastId + 1, mode.size));
      if (mode.size == 0U) return refuse("auto", "size=0 leaves no ID", "");
    } else {
      mode.mapping.push_back(TRY(parse_auto_mapping(option)));
    }
  }
  return mode;
}

Result<UsernsMode> parse_joined(std::string_view word, std::string_view value) {
  if (word == "container") {
    if (value.empty()) return refuse("container:", "it names no container");
    return UsernsOfContainer{std::string(value)};
  }
  if (value.empty()) return refuse("ns:", "it names no path");
  if (value.front() != '/') {
    return refuse(fmt::format("ns:{}", value), "the path must be absolute, for example ns:/proc/123/ns/user");
  }
  return UsernsOfPath{std::string(value)};
}

}  // namespace

Result<UsernsMode> parse_userns_mode(std::string_view value) {
  if (value.empty()) return refuse("\"\"", "it is empty");
  if (value.size() > kLongestValue) return refuse(fmt::format("{}…", value.substr(0, 64)), "it is too long");
  if (value.find('\0') != std::string_view::npos) return refuse(value, "it holds a NUL byte");
  const size_t colon = value.find(':');
  const std::string_view word = value.substr(0, colon);
  const bool more = colon != std::string_view::npos;
  const std::string_view rest = more ? value.substr(colon + 1) : std::string_view();
  if (word == "private" || word == "host") {
    if (more) return refuse(value, fmt::format("{} has no options", word));
    return word == "host" ? UsernsMode(UsernsHost{}) : UsernsMode(UsernsPrivate{});
  }
  if (word == "keep-id") return more ? parse_keep_id(rest) : UsernsMode(UsernsKeepId{});
  if (word == "auto") return more ? parse_auto(rest) : UsernsMode(UsernsAuto{});
  if (word == "container" || word == "ns") return parse_joined(word, rest);
  if (word == "nomap") {
    return refuse(value, "nomap is for engines without root; private maps no host user either", "");
  }
  static constexpr std::array<std::string_view, 6> kModes{"private",   "host", "keep-id",
                                                          "container", "ns",   "auto"};
  const std::string_view near = nearest(word, kModes);
  return refuse(value, "there is no such mode", near.empty() ? kHint : fmt::format("Did you mean {}?", near));
}

namespace {

struct Text {
  std::string operator()(const UsernsPrivate&) const { return "private"; }
  std::string operator()(const UsernsHost&) const { return "host"; }
  std::string operator()(const UsernsKeepId& mode) const {
    std::string text = "keep-id";
    if (mode.uid) text += fmt::format(":uid={}", *mode.uid);
    if (mode.gid) text += fmt::format("{}gid={}", mode.uid ? "," : ":", *mode.gid);
    return text;
  }
  std::string operator()(const UsernsOfContainer& mode) const { return "container:" + mode.name; }
  std::string operator()(const UsernsOfPath& mode) const { return "ns:" + mode.path; }
  std::string operator()(const UsernsAuto& mode) const {
    std::string text = "auto";
    char separator = ':';
    if (mode.size) {
      text += fmt::format("{}size={}", separator, *mode.size);
      separator = ',';
    }
    for (MapRequest request : mode.mapping) {
      const char* key = request.for_users ? "uidmapping" : "gidmapping";
      request.adds = false;
      request.for_users = request.for_groups = true;
      text += fmt::format("{}{}={}", separator, key, map_request_value(request));
      separator = ',';
    }
    return text;
  }
};

}  // namespace

std::string userns_text(const UsernsMode& mode) {
  return std::visit(Text{}, mode);
}

}  // namespace berth::idmap
