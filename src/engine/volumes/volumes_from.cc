#include "engine/volumes/volumes_from.h"

#include <algorithm>

#include "idmap/id_map.h"
#include "idmap/map_algebra.h"

namespace berth::engine {

namespace {

struct Request {
  std::string container;
  std::string options;  // after the colon
  bool read_only = false;
};

Result<Request> parse_request(std::string_view text) {
  const size_t colon = text.find(':');
  Request request{std::string(text.substr(0, colon)), {}, false};
  if (request.container.empty()) return fail(Code::usage, "--volumes-from {}: it is CONTAINER[:ro]", text);
  if (colon == std::string_view::npos) return request;
  request.options = std::string(text.substr(colon));
  for (std::string_view rest = text.substr(colon + 1);;) {
    const size_t comma = rest.find(',');
    const std::string_view option = rest.substr(0, comma);
    if (option == "ro") {
      request.read_only = true;
    } else if (option != "rw" && option != "z") {
      return fail(Code::usage, "--volumes-from {}: \"{}\" is neither ro nor rw", text, option);
    }
    if (comma == std::string_view::npos) return request;
    rest.remove_prefix(comma + 1);
  }
}

bool has_mount_at(const ContainerSpec& spec, const std::string& target) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(),
                     [&](const MountSpec& mount) { return mount.target == target; });
}

// As records have it: no map is the host's own IDs.
Result<idmap::IdMap> recorded_map(std::string_view map) {
  return map.empty() ? idmap::IdMap::whole() : idmap::IdMap::parse(map);
}

}  // namespace

Result<> add_volumes_from(store::Store& store, ContainerSpec& spec) {
  for (std::string& text : spec.volumes_from) {
    const Request request = TRY(parse_request(text));
    const store::ContainerRecord exporter =
        TRY_CONTEXT(store::find_container(store.db(), request.container), "--volumes-from {}", text);
    const ContainerSpec exported = TRY(container_spec_from_json(exporter.spec));
    for (MountSpec mount : exported.mounts) {
      if (mount.type == "tmpfs" || has_mount_at(spec, mount.target)) continue;
      mount.read_only |= request.read_only;
      spec.mounts.push_back(std::move(mount));
    }
    text = exporter.id + request.options;
  }
  return {};
}

Result<std::vector<store::ContainerRecord>> exporters_of(store::Store& store, const ContainerSpec& spec) {
  std::vector<store::ContainerRecord> exporters;
  for (const std::string& text : spec.volumes_from) {
    const Request request = TRY(parse_request(text));
    exporters.push_back(TRY_CONTEXT(store::find_container(store.db(), request.container), "--volumes-from"));
  }
  return exporters;
}

Result<> check_holds(std::string_view kind, std::string_view exporter, std::string_view exporters_map,
                     std::string_view importers_map) {
  const idmap::IdMap needed = TRY(recorded_map(exporters_map));
  const idmap::IdMap held = TRY(recorded_map(importers_map));
  const std::vector<idmap::IdRange> missing = idmap::missing(held, needed);
  if (missing.empty()) return {};
  Error error = fail(Code::refused,
                     "--volumes-from: container {} has {} {} to {}, and the new container does not; it could "
                     "not tell whose the files in the volumes are",
                     exporter, kind, missing.front().begin, missing.front().end - 1)
                    .error();
  return std::unexpected(std::move(error).with_hint(
      exporters_map.empty()
          ? "It uses the host's own IDs: so does this one with --userns host."
          : "Give the new container a map that has all of the other's IDs, or the same one."));
}

Result<> inherit_banks(store::Store& store, ContainerSpec& spec) {
  const bool own_choice = !spec.project.empty() || !spec.banks.empty() || !spec.uid_maps.empty() ||
                          !spec.gid_maps.empty() || spec.userns != "private";
  if (own_choice) return {};
  for (const store::ContainerRecord& exporter : TRY(exporters_of(store, spec))) {
    const ContainerSpec theirs = TRY(container_spec_from_json(exporter.spec));
    for (const std::string& bank : theirs.banks) {
      if (std::find(spec.banks.begin(), spec.banks.end(), bank) == spec.banks.end())
        spec.banks.push_back(bank);
    }
  }
  return {};
}

Result<> check_volumes_from(store::Store& store, const ContainerSpec& spec,
                            const store::ContainerRecord& importer) {
  if (spec.volumes_from.empty()) return {};
  for (const store::ContainerRecord& exporter : TRY(exporters_of(store, spec))) {
    TRY(check_holds("UIDs", exporter.name, exporter.uid_map, importer.uid_map));
    TRY(check_holds("GIDs", exporter.name, exporter.gid_map, importer.gid_map));
  }
  return {};
}

}  // namespace berth::engine
