#include "cli/map_json.h"

#include <nlohmann/json.hpp>

#include "engine/audit/id_space.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

Json describe(const engine::Part& part) {
  Json claims = Json::array();
  for (const engine::Claim& claim : part.claims) {
    claims.push_back({{"kind", word_for(claim.kind)},
                      {"first", claim.ids.begin},
                      {"last", claim.ids.end - 1},
                      {"what", claim.what},
                      {"who", claim.who},
                      {"where", claim.where}});
  }
  Json names = Json::array();
  for (const engine::Name& name : part.names) {
    Json entry = {{"id", name.id}};
    if (!name.user.empty()) entry["user"] = name.user;
    if (!name.group.empty()) entry["group"] = name.group;
    names.push_back(std::move(entry));
  }
  return {{"first", part.ids.begin},  {"last", part.ids.end - 1}, {"kind", word_for(part.kind)},
          {"in_pool", part.in_pool},  {"shared", part.shared()},  {"claims", std::move(claims)},
          {"names", std::move(names)}};
}

Json describe(const std::vector<idmap::Extent>& extents) {
  Json list = Json::array();
  for (const idmap::Extent& extent : extents) {
    list.push_back({{"inside", extent.inside}, {"host", extent.outside}, {"count", extent.count}});
  }
  return list;
}

Json describe(const engine::ContainerFacts& container) {
  std::vector<uint32_t> banks;
  for (const Bank bank : container.banks) banks.push_back(bank.base());
  return {{"id", container.id},
          {"name", container.name},
          {"project", container.project.empty() ? Json(nullptr) : Json(container.project)},
          {"pid", container.pid},
          {"host_ids", container.host_ids},
          {"banks", banks},
          {"users", describe(container.users)},
          {"groups", describe(container.groups)}};
}

}  // namespace

std::string map_as_json(const engine::IdFacts& facts, const MapChoice& choice) {
  Json parts = Json::array();
  for (const engine::Part& part : engine::parts_of(facts)) parts.push_back(describe(part));
  Json containers = Json::array();
  for (const engine::ContainerFacts& container : facts.containers) {
    if (!choice.container.empty() && container.name != choice.container) continue;
    if (!choice.project.empty() && container.project != choice.project) continue;
    containers.push_back(describe(container));
  }
  Json projects = Json::array();
  for (const engine::ProjectFacts& project : facts.projects) {
    if (!choice.project.empty() && project.name != choice.project) continue;
    projects.push_back({{"name", project.name},
                        {"number", project.number},
                        {"first_assigned", project.assigned.begin},
                        {"last_assigned", project.assigned.end - 1}});
  }
  const Json document = {{"pool",
                          {{"first", idmap::range_of(ledger::kFirstBank).begin},
                           {"last", idmap::range_of(ledger::kLastBank).end - 1},
                           {"bank_size", kBankSize}}},
                         {"parts", std::move(parts)},
                         {"containers", std::move(containers)},
                         {"projects", std::move(projects)}};
  return document.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace berth::cli
