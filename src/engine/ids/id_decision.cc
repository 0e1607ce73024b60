#include "engine/ids/id_decision.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

#include "base/fields.h"
#include "config/policy_checks.h"
#include "engine/ids/pool_rules.h"
#include "idmap/map_algebra.h"
#include "idmap/resolve_maps.h"
#include "idmap/userns_mode.h"
#include "ledger/bank_uses.h"
#include "ledger/banks.h"
#include "ledger/host_ranges.h"
#include "ledger/named_banks.h"
#include "ledger/projects.h"
#include "runtime/existing_namespace.h"
#include "store/containers.h"

namespace berth::engine {

namespace {

using idmap::IdMap;

// Its IDs are the caller's own, so sharing them is what is meant.
constexpr const char* kKeepId = "--userns keep-id";

std::optional<uint32_t> number_in_environment(const char* name) {
  const char* text = ::getenv(name);
  return text == nullptr ? std::nullopt : whole_number<uint32_t>(text);
}

// The map's first `count` IDs.
Result<IdMap> first_ids(const IdMap& map, uint64_t count) {
  std::vector<idmap::Extent> extents;
  for (idmap::Extent extent : map.extents()) {
    if (extent.inside >= count) break;
    extent.count = static_cast<uint32_t>(std::min<uint64_t>(extent.count, count - extent.inside));
    extents.push_back(extent);
  }
  return IdMap::from_extents(std::move(extents));
}

Result<> check_host_namespaces(const ContainerSpec& spec, const config::Config& config) {
  if (spec.network == "host") TRY(config::check_host_namespace(config, "--network host"));
  if (spec.spaces.pid == kHostSpace) TRY(config::check_host_namespace(config, "--pid host"));
  if (spec.spaces.ipc == kHostSpace) TRY(config::check_host_namespace(config, "--ipc host"));
  return {};
}

class Decision {
 public:
  Decision(store::Database& db, const std::string& id, const IdRequest& request)
      : db_(db), id_(id), spec_(request.spec), config_(request.config), caller_(request.caller) {}

  Result<IdDecision> make() {
    if (!spec_.project.empty()) return of_project();
    const idmap::UsernsMode mode = TRY(userns_mode_of(spec_, config_));
    TRY(config::check_userns(config_, mode));
    TRY(check_host_namespaces(spec_, config_));
    if (spec_.allow_shared_ids) TRY(config::check_shared_ids(config_));
    TRY(check_combination(mode));
    if (std::holds_alternative<idmap::UsernsHost>(mode)) return IdDecision{};
    if (const auto* other = std::get_if<idmap::UsernsOfContainer>(&mode)) return of_container(other->name);
    if (const auto* path = std::get_if<idmap::UsernsOfPath>(&mode)) return of_path(path->path);
    return of_requests(TRY(requests_of(mode)), size_of(mode));
  }

 private:
  [[nodiscard]] Result<> check_combination(const idmap::UsernsMode& mode) const {
    const bool given = std::holds_alternative<idmap::UsernsHost>(mode) ||
                       std::holds_alternative<idmap::UsernsOfContainer>(mode) ||
                       std::holds_alternative<idmap::UsernsOfPath>(mode);
    if (!given) return {};
    const char* flag = !spec_.uid_maps.empty() ? "--uidmap" : !spec_.gid_maps.empty() ? "--gidmap" : nullptr;
    if (!spec_.banks.empty()) flag = "--bank";
    if (flag == nullptr) return {};
    return fail(Code::usage, "{} can't go with --userns {}, which says already what the IDs are", flag,
                idmap::userns_text(mode));
  }

  // All that its containers may ask for has been looked at before (project_rules.h); but until now the
  // project might have gone, or become full.
  Result<IdDecision> of_project() {
    const ledger::Project project = TRY(ledger::find_project(db_, spec_.project));
    TRY(ledger::check_quota(db_, project));
    for (const Bank bank : TRY(ledger::banks_of_project(db_, project.name)))
      TRY(ledger::record_use(db_, id_, bank));
    const IdMap map = TRY(ledger::map_of_project(db_, project));
    return checked({map, map}, "the project " + project.name);
  }

  Result<IdDecision> of_container(const std::string& name) {
    const store::ContainerRecord other =
        TRY_CONTEXT(store::find_container(db_, name), "--userns container:{}", name);
    if (!other.project.empty()) {
      Error error{Code::refused, 0,
                  fmt::format("--userns container:{}: it is of project {}, whose IDs nobody else has", name,
                              other.project),
                  fmt::format("--project {} makes a container of that project.", other.project)};
      return std::unexpected(std::move(error));
    }
    if (other.uid_map.empty()) {
      TRY(config::check_userns(config_, idmap::UsernsHost{}));
      return IdDecision{};
    }
    // Its own banks as well: they stay held when it goes and this one is still there.
    std::vector<Bank> banks = TRY(ledger::banks_of(db_, {"container", other.id}));
    for (const Bank bank : TRY(ledger::banks_used_by(db_, other.id))) banks.push_back(bank);
    for (const Bank bank : banks) TRY(ledger::record_use(db_, id_, bank));
    for (const idmap::IdRange& range : TRY(ledger::ranges_of(db_, other.id)))
      TRY(ledger::record_range(db_, id_, range));
    return checked({TRY(IdMap::parse(other.uid_map)), TRY(IdMap::parse(other.gid_map))},
                   "--userns container:" + name);
  }

  Result<IdDecision> of_path(const std::string& path) {
    runtime::NamespaceMaps maps = TRY_CONTEXT(runtime::maps_of_namespace(path), "--userns ns:{}", path);
    return checked({std::move(maps.users), std::move(maps.groups)}, "--userns ns:" + path);
  }

  // What --userns adds to --uidmap and --gidmap.
  [[nodiscard]] Result<idmap::MapRequests> requests_of(const idmap::UsernsMode& mode) const {
    idmap::MapRequests requests = TRY(idmap::parse_map_requests(spec_.uid_maps, spec_.gid_maps));
    if (const auto* keep = std::get_if<idmap::UsernsKeepId>(&mode)) {
      TRY(add_caller(*keep, requests));
    } else if (const auto* automatic = std::get_if<idmap::UsernsAuto>(&mode)) {
      for (const idmap::MapRequest& mapping : automatic->mapping) {
        if (mapping.for_users) requests.users.push_back(mapping);
        if (mapping.for_groups) requests.groups.push_back(mapping);
      }
    }
    return requests;
  }

  // The caller's own IDs are meant to be shared.
  Result<> add_caller(const idmap::UsernsKeepId& keep, idmap::MapRequests& requests) const {
    if (caller_.uid.value() == 0) {
      Error error{Code::usage,
                  0,
                  "--userns keep-id: the caller is root, whose ID on the host is nobody else's to have",
                  {}};
      return std::unexpected(std::move(error).with_hint(
          "Call berth through sudo as the user whose ID is to be kept, or map it with --uidmap."));
    }
    const auto request = [](uint32_t inside, uint32_t outside) {
      idmap::MapRequest made;
      made.text = kKeepId;
      made.inside = inside;
      made.outside = outside;
      made.count = 1;
      made.adds = true;
      return made;
    };
    requests.users.push_back(request(keep.uid.value_or(caller_.uid.value()), caller_.uid.value()));
    requests.groups.push_back(request(keep.gid.value_or(caller_.gid.value()), caller_.gid.value()));
    return {};
  }

  static std::optional<uint32_t> size_of(const idmap::UsernsMode& mode) {
    const auto* automatic = std::get_if<idmap::UsernsAuto>(&mode);
    return automatic == nullptr ? std::nullopt : automatic->size;
  }

  // The map that the container has where nothing else is asked for: shared banks, or new ones of its own.
  Result<IdMap> own_map(std::optional<uint32_t> size) {
    std::vector<Bank> banks;
    for (const std::string& named : spec_.banks) {
      for (const Bank bank : TRY_CONTEXT(ledger::claim_banks(db_, named), "--bank {}", named)) {
        TRY(ledger::record_use(db_, id_, bank));
        banks.push_back(bank);
      }
    }
    const uint64_t wanted = size.value_or(kBankSize);
    const ledger::HostSources host = host_under(config_);
    while (spec_.banks.empty() && banks.size() * uint64_t{kBankSize} < wanted)
      banks.push_back(TRY(ledger::allocate_bank(db_, {"container", id_}, host)));
    IdMap map = TRY(IdMap::from_banks(banks));
    return size ? first_ids(map, *size) : Result<IdMap>(std::move(map));
  }

  Result<IdDecision> of_requests(const idmap::MapRequests& requests, std::optional<uint32_t> size) {
    if (requests.empty()) {
      const IdMap own = TRY(own_map(size));
      return checked({own, own}, "the bank");
    }
    const bool needs_own = idmap::needs_own_ids(requests);
    if (!needs_own && !spec_.banks.empty())
      return fail(Code::usage,
                  "--bank has no use where --uidmap and --gidmap name the host's IDs themselves");
    const IdMap own = needs_own ? TRY(own_map(size)) : TRY(IdMap::from_extents({{0, 0, 1}}));
    idmap::ResolvedMaps maps = TRY(idmap::resolve_maps(requests, own));
    // Users and groups may have the same range, so all are looked at before any is recorded.
    for (const idmap::ForeignRange& range : maps.foreign_users)
      TRY(check_range(ledger::IdKind::users, range));
    for (const idmap::ForeignRange& range : maps.foreign_groups)
      TRY(check_range(ledger::IdKind::groups, range));
    for (const auto* ranges : {&maps.foreign_users, &maps.foreign_groups})
      for (const idmap::ForeignRange& range : *ranges) TRY(ledger::record_range(db_, id_, range.host));
    return checked({std::move(maps.users), std::move(maps.groups)}, "the map");
  }

  Result<> check_range(ledger::IdKind kind, const idmap::ForeignRange& range) {
    TRY(config::check_ranges(config_, std::array{range.host}, range.asked_by));
    if (spec_.allow_shared_ids || range.asked_by == kKeepId) return {};
    Result<> free = ledger::check_range_free(db_, kind, range.host);
    if (free) return {};
    Error error = std::move(free).error().context(range.asked_by);
    if (range.size_left_out)
      error.hint = "Without a size it is a bank's length, 65536; `:1` behind it is one ID. " + error.hint;
    return std::unexpected(std::move(error));
  }

  Result<IdDecision> checked(IdDecision decision, const std::string& asked) const {
    for (const auto* map : {&decision.users, &decision.groups})
      TRY(config::check_ranges(config_, idmap::outside_ranges(**map), asked));
    return decision;
  }

  store::Database& db_;
  const std::string& id_;
  const ContainerSpec& spec_;
  const config::Config& config_;
  Caller caller_;
};

}  // namespace

Caller caller_from_environment() {
  const char* const behind = ::getenv("SUDO_USER");
  if (::getuid() == 0) {
    std::string name = behind == nullptr || *behind == '\0' ? "root" : behind;
    const auto uid = number_in_environment("SUDO_UID");
    const auto gid = number_in_environment("SUDO_GID");
    if (uid && gid) return {HostUid(*uid), HostGid(*gid), std::move(name)};
    return {HostUid(0), HostGid(::getgid()), std::move(name)};
  }
  const passwd* const entry = ::getpwuid(::getuid());
  return {HostUid(::getuid()), HostGid(::getgid()),
          entry == nullptr ? std::to_string(::getuid()) : std::string(entry->pw_name)};
}

Result<IdDecision> recorded_maps(const store::ContainerRecord& record) {
  if (record.uid_map.empty()) return IdDecision{};
  return IdDecision{TRY_CONTEXT(IdMap::parse(record.uid_map), "the container's recorded map"),
                    TRY_CONTEXT(IdMap::parse(record.gid_map), "the container's recorded map")};
}

Result<> check_recorded(const store::ContainerRecord& record, const ContainerSpec& spec,
                        const config::Config& config) {
  TRY(check_host_namespaces(spec, config));
  if (record.uid_map.empty()) return config::check_userns(config, idmap::UsernsHost{});
  for (const std::string* text : {&record.uid_map, &record.gid_map}) {
    const IdMap map = TRY(IdMap::parse(*text));
    TRY(config::check_ranges(config, idmap::outside_ranges(map), "the container's map"));
  }
  return {};
}

Result<idmap::UsernsMode> userns_mode_of(const ContainerSpec& spec, const config::Config& config) {
  if (spec.userns.empty()) return config.defaults.userns.value;
  return idmap::parse_userns_mode(spec.userns);
}

Result<> settle_userns(ContainerSpec& spec, const config::Config& config, Caller caller) {
  const idmap::UsernsMode mode = TRY(userns_mode_of(spec, config));
  spec.userns = idmap::userns_text(mode);
  const auto* keep = std::get_if<idmap::UsernsKeepId>(&mode);
  if (keep != nullptr && spec.user.empty()) {
    spec.user =
        fmt::format("{}:{}", keep->uid.value_or(caller.uid.value()), keep->gid.value_or(caller.gid.value()));
  }
  return {};
}

bool brings_a_number(store::Database& db, const ContainerSpec& spec) {
  // A name must have been there before, so what is not there and comes into being is a number.
  return std::any_of(spec.banks.begin(), spec.banks.end(),
                     [&](const std::string& named) { return !ledger::find_banks(db, named); });
}

Result<IdDecision> decide_ids(store::Database& db, const std::string& container_id,
                              const IdRequest& request) {
  return Decision(db, container_id, request).make();
}

}  // namespace berth::engine
