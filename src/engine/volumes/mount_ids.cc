#include "engine/volumes/mount_ids.h"

#include <algorithm>
#include <array>

#include "base/fields.h"
#include "idmap/id_range.h"

namespace berth::engine {

namespace {

std::unexpected<Error> bad_option(const MountSpec& mount, std::string_view option, std::string_view why) {
  return fail(Code::usage, "mount {}: {}: {}", mount.target, option, why);
}

std::optional<uint32_t> number_in(std::string_view text) {
  const auto value = whole_number<uint32_t>(text);
  return value && *value <= idmap::kLastId ? value : std::nullopt;
}

std::optional<IdTriple> triple_in(std::string_view text) {
  IdTriple triple;
  triple.in_container = text.starts_with('@');
  if (triple.in_container) text.remove_prefix(1);
  const std::array<uint32_t*, 3> fields{&triple.disk, &triple.host, &triple.count};
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t dash = text.find('-');
    if ((dash == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    const auto value = number_in(text.substr(0, dash));
    if (!value) return std::nullopt;
    *fields[i] = *value;
    if (dash != std::string_view::npos) text.remove_prefix(dash + 1);
  }
  if (triple.count == 0) return std::nullopt;
  return triple;
}

// "uids=0-1000-1#5-2000-10;gids=…"; one alone serves for both.
Result<> read_maps(const MountSpec& mount, std::string_view option, std::string_view text, MountIds& ids) {
  constexpr std::string_view kForm = "it is idmap=uids=DISK-HOST-COUNT[#…][;gids=…], as podman has it";
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const bool users = part.starts_with("uids=");
    if (!users && !part.starts_with("gids=")) return bad_option(mount, option, kForm);
    std::vector<IdTriple>& into = users ? ids.uids : ids.gids;
    if (!into.empty()) return bad_option(mount, option, "it names the same kind of IDs twice");
    for (part.remove_prefix(5); !part.empty() || into.empty();) {
      const std::string_view one = part.substr(0, part.find('#'));
      part.remove_prefix(std::min(one.size() + 1, part.size()));
      const auto triple = triple_in(one);
      if (!triple) return bad_option(mount, option, kForm);
      into.push_back(*triple);
    }
  }
  if (ids.uids.empty() && ids.gids.empty()) return bad_option(mount, option, kForm);
  if (ids.uids.empty()) ids.uids = ids.gids;
  if (ids.gids.empty()) ids.gids = ids.uids;
  return {};
}

Result<> set_way(const MountSpec& mount, std::string_view option, MountIds::Way way, MountIds& ids) {
  if (ids.way != MountIds::Way::plain)
    return bad_option(mount, option, "the mount says already how its IDs are mapped");
  ids.way = way;
  return {};
}

Result<> read_option(const MountSpec& mount, std::string_view option, MountIds& ids) {
  const size_t equals = option.find('=');
  const std::string_view key = option.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : option.substr(equals + 1);
  if (key == "U" || key == "chown") {
    if (!value.empty() && value != "true" && value != "false")
      return bad_option(mount, option, "it is true or false");
    ids.chown = value != "false";
  } else if (key == "idmap") {
    TRY(set_way(mount, option, MountIds::Way::idmap, ids));
    if (equals != std::string_view::npos) TRY(read_maps(mount, option, value, ids));
  } else if (key == "confine") {
    TRY(set_way(mount, option, MountIds::Way::confine, ids));
    if (value.empty() || value.front() == ':' || value.back() == ':')
      return bad_option(mount, option, "it is confine=USER[:GROUP], of the host's");
    ids.confined_to = value;
  } else {
    const auto number = number_in(value);
    if (!number) return bad_option(mount, option, "it is a number, of the container's");
    (key == "uid" ? ids.uid : ids.gid) = number;
  }
  return {};
}

// The host's extents that `count` IDs of the container's from `first` on are.
Result<> append_through(const idmap::IdMap& map, const IdTriple& triple,
                        std::vector<idmap::Extent>& extents) {
  uint64_t done = 0;
  while (done < triple.count) {
    const uint64_t inside = uint64_t{triple.host} + done;
    const auto found =
        std::find_if(map.extents().begin(), map.extents().end(), [&](const idmap::Extent& extent) {
          return inside >= extent.inside && inside - extent.inside < extent.count;
        });
    if (found == map.extents().end())
      return fail(Code::refused, "the container has no ID {} ({})", inside, map.describe());
    const uint64_t offset = inside - found->inside;
    const uint64_t length = std::min<uint64_t>(found->count - offset, triple.count - done);
    extents.push_back({static_cast<uint32_t>(triple.disk + done),
                       static_cast<uint32_t>(found->outside + offset), static_cast<uint32_t>(length)});
    done += length;
  }
  return {};
}

}  // namespace

bool is_id_option(std::string_view option) {
  constexpr std::array<std::string_view, 6> kKeys{"idmap", "confine", "uid", "gid", "U", "chown"};
  return std::find(kKeys.begin(), kKeys.end(), option.substr(0, option.find('='))) != kKeys.end();
}

Result<MountIds> mount_ids(const MountSpec& mount) {
  MountIds ids;
  for (const std::string& option : mount.options) {
    if (!is_id_option(option)) continue;
    if (mount.type == "tmpfs") return bad_option(mount, option, "a tmpfs is new and the container's own");
    TRY(read_option(mount, option, ids));
  }
  if ((ids.uid || ids.gid) && ids.way != MountIds::Way::confine)
    return fail(Code::usage, "mount {}: uid= and gid= go with confine=USER", mount.target);
  if (mount.type == "volume" && ids.way == MountIds::Way::confine)
    return fail(Code::usage,
                "mount {}: confine= is for a host directory; what is in a volume is no host user's",
                mount.target);
  return ids;
}

Result<std::vector<runtime::IdExtent>> mount_map(const std::vector<IdTriple>& triples,
                                                 const std::optional<idmap::IdMap>& container) {
  std::vector<idmap::Extent> extents;
  for (const IdTriple& triple : triples) {
    if (triple.in_container && container) {
      TRY(append_through(*container, triple, extents));
    } else {
      extents.push_back({triple.disk, triple.host, triple.count});
    }
  }
  const idmap::IdMap map = TRY(idmap::IdMap::from_extents(std::move(extents)));
  return runtime::extents_of(map.extents());
}

}  // namespace berth::engine
