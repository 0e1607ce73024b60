// Values of --uidmap and --gidmap, one a line, the two flags separated by 0x01; and each line as a value of
// --userns. Whatever is accepted stays itself when it is written and read again, and every host ID of a map
// is either the container's own or told as foreign.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "idmap/map_algebra.h"
#include "idmap/resolve_maps.h"
#include "idmap/userns_mode.h"

using namespace berth::idmap;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

void check_value(const std::string& value) {
  if (const auto request = parse_map_request("--uidmap", value)) {
    auto again = parse_map_request("--uidmap", map_request_value(*request));
    require(again.has_value());
    again->text = request->text;
    require(*again == *request);
  }
  if (const auto mode = parse_userns_mode(value)) {
    const auto again = parse_userns_mode(userns_text(*mode));
    require(again.has_value());
    require(userns_text(*again) == userns_text(*mode));
  }
}

void check_map(const IdMap& map, const std::vector<ForeignRange>& foreign, const IdMap& own) {
  require(IdMap::parse(map.text()).value() == map);
  std::vector<IdRange> known = outside_ranges(own);
  for (const ForeignRange& range : foreign) {
    for (const IdRange& held : outside_ranges(own)) require(!range.host.overlaps(held));
    known.push_back(range.host);
  }
  known = normalized(std::move(known));
  for (const IdRange& range : outside_ranges(map)) require(subtract(range, known).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t middle = input.find('\x01');
  const std::vector<std::string> uidmap = lines(input.substr(0, middle));
  const std::vector<std::string> gidmap =
      lines(middle == std::string_view::npos ? std::string_view() : input.substr(middle + 1));
  for (const std::string& value : uidmap) check_value(value);
  static const auto own = IdMap::from_extents({{0, 1310720, 65536}, {65536, 589824, 131072}}).value();
  const auto requests = parse_map_requests(uidmap, gidmap);
  if (!requests) return 0;
  const auto maps = resolve_maps(*requests, own);
  if (!maps) return 0;
  check_map(maps->users, maps->foreign_users, own);
  check_map(maps->groups, maps->foreign_groups, own);
  return 0;
}
