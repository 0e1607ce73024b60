#include "engine/volumes/prepare_mounts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include "engine/container/status.h"
#include "engine/identity/host_accounts.h"
#include "engine/volumes/change_owner.h"
#include "engine/volumes/covered_places.h"
#include "engine/volumes/host_reach.h"
#include "engine/volumes/mount_access.h"
#include "engine/volumes/mount_ids.h"
#include "engine/volumes/volumes.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

using Json = nlohmann::json;

constexpr const char* kDecisionsFile = "mounts";

// The container's ID as the host knows it; where the container uses the host's IDs they are the same.
Result<uint32_t> host_uid(const MountUser& user, uint32_t uid) {
  if (!user.uid_map) return uid;
  if (const auto id = user.uid_map->to_host(ContainerUid(uid))) return id->value();
  return fail(Code::refused, "the container has no UID {} ({})", uid, user.uid_map->describe());
}
Result<uint32_t> host_gid(const MountUser& user, uint32_t gid) {
  if (!user.gid_map) return gid;
  if (const auto id = user.gid_map->to_host(ContainerGid(gid))) return id->value();
  return fail(Code::refused, "the container has no GID {} ({})", gid, user.gid_map->describe());
}

// The kernel writes to nothing whose owner or group the mount does not map, whatever its mode says.
std::optional<std::string> foreign_source(const MountSpec& mount, const HostAccount& account) {
  const Result<struct stat> st = sys::stat_at(AT_FDCWD, mount.source, 0);
  if (!st || mount.read_only || (st->st_uid == account.uid.value() && st->st_gid == account.gid.value()))
    return std::nullopt;
  return fmt::format("{} belongs to {}:{} and not to {}:{}, so nobody in the container can write to it",
                     mount.source, st->st_uid, st->st_gid, account.uid.value(), account.gid.value());
}

Result<> confine(const MountSpec& mount, const MountIds& ids, const MountUser& user, MountDecision& decision,
                 std::vector<std::string>& warnings) {
  const HostAccount account = TRY_CONTEXT(find_host_account(ids.confined_to), "confine={}", ids.confined_to);
  const uint32_t uid = ids.uid.value_or(user.user.uid.value());
  const uint32_t gid = ids.gid.value_or(user.user.gid.value());
  decision.uid_map = {{account.uid.value(), TRY(host_uid(user, uid)), 1}};
  decision.gid_map = {{account.gid.value(), TRY(host_gid(user, gid)), 1}};
  decision.map_ids = true;
  decision.strategy = "confine";
  decision.reason = fmt::format("confine={}: UID {} and GID {} are {}:{} of the host, other IDs are nobody",
                                ids.confined_to, uid, gid, account.uid.value(), account.gid.value());
  warnings.push_back(
      fmt::format("in {} only UID {} and GID {} can create files, as {} of the host; for every other ID, "
                  "root's too, creating "
                  "and changing owners fails with EOVERFLOW (Value too large for defined data type)",
                  decision.target, uid, gid, ids.confined_to));
  auto foreign = foreign_source(mount, account);
  if (foreign) warnings.push_back(std::move(*foreign));
  return {};
}

Result<> map_explicitly(const MountIds& ids, const MountUser& user, MountDecision& decision) {
  decision.uid_map = TRY_CONTEXT(mount_map(ids.uids, user.uid_map), "idmap, UIDs");
  decision.gid_map = TRY_CONTEXT(mount_map(ids.gids, user.gid_map), "idmap, GIDs");
  decision.map_ids = true;
  decision.strategy = "idmap";
  decision.reason = "idmap= gives the map";
  return {};
}

Result<MountDecision> decide(const MountSpec& mount, const MountIds& ids, const MountUser& user,
                             std::vector<std::string>& warnings) {
  MountDecision decision{.target = mount.target, .strategy = "none"};
  const bool own_ids = user.uid_map.has_value();
  if (mount.type == "tmpfs") {
    decision.reason = "a tmpfs is made for the container";
  } else if (ids.way == MountIds::Way::confine) {
    TRY(confine(mount, ids, user, decision, warnings));
  } else if (!ids.uids.empty()) {
    TRY(map_explicitly(ids, user, decision));
  } else if (!own_ids) {
    decision.reason = "the container uses the host's IDs";
  } else if (mount.type == "volume" || ids.way == MountIds::Way::idmap) {
    decision.strategy = "idmap";
    decision.map_ids = true;
    decision.reason = mount.type == "volume"
                          ? "a volume bears the container's own IDs, and is seen through its map"
                          : "idmap asks for the container's map: the IDs on disk are the container's own";
  } else {
    decision.reason = "a host directory keeps its owners unless idmap, confine= or U says otherwise";
    auto hint = ids.chown ? std::nullopt : write_hint(mount, user);
    if (hint) warnings.push_back(std::move(*hint));
  }
  return decision;
}

bool shows(const std::vector<runtime::IdExtent>& map, uint32_t disk) {
  return std::any_of(map.begin(), map.end(), [&](const runtime::IdExtent& extent) {
    return disk >= extent.inside && disk - extent.inside < extent.count;
  });
}

// nosuid is of the container's mount; on the host's own the file is as any other (CVE-2025-64507).
void warn_of_setuid(const MountSpec& mount, const MountUser& user, const MountDecision& decision,
                    std::vector<std::string>& warnings) {
  if (mount.type != "bind" || mount.read_only || !decision.map_ids) return;
  const bool own_map = decision.uid_map.empty();
  if (own_map ? !user.uid_map->to_host(ContainerUid(0)) : !shows(decision.uid_map, 0)) return;
  if (!reachable_by_users(mount.source)) return;
  warnings.push_back(fmt::format(
      "host users can get to {}, where the container can make files of the host's root: a setuid file there "
      "makes them root; keep them out (chmod 0700 on a directory of root's above it), or use confine= or ro",
      mount.source));
}

// The ID that has to be on disk so that the mount shows `host`.
Result<uint32_t> on_disk(const MountDecision& decision, const std::vector<runtime::IdExtent>& map,
                         uint32_t inside, uint32_t host) {
  if (!decision.map_ids) return host;
  if (map.empty()) return inside;
  for (const runtime::IdExtent& extent : map) {
    if (host >= extent.outside && host - extent.outside < extent.count)
      return extent.inside + (host - extent.outside);
  }
  return fail(Code::refused, "the mount's map has no ID for the process's own, {}", inside);
}

Result<> give_to_user(const MountSpec& mount, const MountUser& user, MountDecision& decision) {
  const uint32_t uid = user.user.uid.value();
  const uint32_t gid = user.user.gid.value();
  const uint32_t as_uid = TRY(host_uid(user, uid));
  const uint32_t as_gid = TRY(host_gid(user, gid));
  const HostUid owner(TRY(on_disk(decision, decision.uid_map, uid, as_uid)));
  const HostGid group(TRY(on_disk(decision, decision.gid_map, gid, as_gid)));
  const uint64_t changed = TRY(change_owner(mount.source, owner, group));
  decision.reason += fmt::format("; U gave {} files to {}:{}", changed, owner.value(), group.value());
  return {};
}

}  // namespace

Result<std::vector<MountDecision>> prepare_mounts(const store::Store& store, const ContainerSpec& spec,
                                                  const MountUser& user, std::vector<std::string>& warnings) {
  TRY(settle_volumes(store, spec));
  std::vector<MountDecision> decisions;
  for (const MountSpec& mount : spec.mounts) {
    const MountIds ids = TRY(mount_ids(mount));
    decisions.push_back(TRY_CONTEXT(decide(mount, ids, user, warnings), "mount {}", mount.target));
    warn_of_setuid(mount, user, decisions.back(), warnings);
    decisions.back().covered = covered_places(mount);
    if (ids.chown) TRY_CONTEXT(give_to_user(mount, user, decisions.back()), "mount {}", mount.target);
  }
  return decisions;
}

Result<> write_mount_decisions(const store::Store& store, std::string_view container_id,
                               const std::vector<MountDecision>& decisions) {
  if (decisions.empty()) return {};
  Json list = Json::array();
  for (const MountDecision& decision : decisions)
    list.push_back(
        {{"target", decision.target}, {"strategy", decision.strategy}, {"reason", decision.reason}});
  const sys::UniqueFd directory =
      TRY(sys::open_at(store.root(), container_directory(container_id), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  // It tells of this start only, so losing it with the machine is no harm.
  return sys::replace_file_at(directory.get(), kDecisionsFile,
                              list.dump(-1, ' ', false, Json::error_handler_t::replace), 0600,
                              sys::Durability::none);
}

std::vector<MountDecision> read_mount_decisions(const store::Store& store, std::string_view container_id) {
  constexpr size_t kLargest = size_t{4} << 20;
  std::vector<MountDecision> decisions;
  const Result<std::string> text =
      sys::read_file_at(store.root(), container_directory(container_id) + "/" + kDecisionsFile, kLargest);
  if (!text) return decisions;
  const Json list = Json::parse(*text, nullptr, false);
  if (!list.is_array()) return decisions;
  for (const Json& one : list) {
    if (!one.is_object()) continue;
    const auto member = [&](const char* name) {
      return one.contains(name) && one[name].is_string() ? one[name].get<std::string>() : std::string();
    };
    decisions.push_back(
        {.target = member("target"), .strategy = member("strategy"), .reason = member("reason")});
  }
  return decisions;
}

}  // namespace berth::engine
