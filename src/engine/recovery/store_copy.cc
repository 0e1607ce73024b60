#include "engine/recovery/store_copy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include "engine/container/names.h"
#include "engine/container/status.h"
#include "idmap/id_map.h"
#include "ledger/bank_uses.h"
#include "ledger/host_ranges.h"
#include "net/plan.h"
#include "oci/json.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

using Json = nlohmann::json;
using oci::JsonView;

constexpr int kVersion = 1;
constexpr const char* kStoreFile = "ledger.json";
constexpr size_t kLargestContainerCopy = size_t{16} << 20;
constexpr size_t kLargestStoreCopy = size_t{64} << 20;

std::string container_file(std::string_view id) {
  return fmt::format("{}/{}", container_directory(id), kContainerCopy);
}

Json bank_json(const HeldBank& held) {
  return {{"bank", held.bank.number()},
          {"kind", held.owner.kind},
          {"owner", held.owner.id},
          {"since", held.since}};
}

Result<HeldBank> parse_bank(const JsonView& view) {
  const int64_t number = TRY(view.integer_or_zero("bank"));
  if (number < ledger::kFirstBank.number() || number > ledger::kLastBank.number())
    return view.refuse("a bank outside the pool");
  return HeldBank{Bank(static_cast<uint16_t>(number)),
                  {TRY(view.string_or_empty("kind")), TRY(view.string_or_empty("owner"))},
                  TRY(view.integer_or_zero("since"))};
}

Result<std::vector<JsonView>> elements_or_none(const JsonView& view, std::string_view key) {
  const std::optional<JsonView> found = TRY(view.find(key));
  if (!found) return std::vector<JsonView>{};
  return found->elements();
}

Result<std::vector<HeldBank>> parse_banks(const JsonView& view) {
  const std::vector<JsonView> elements = TRY(elements_or_none(view, "banks"));
  std::vector<HeldBank> banks;
  for (const JsonView& element : elements) banks.push_back(TRY(parse_bank(element)));
  return banks;
}

Result<Json> read_document(int root, const std::string& path, size_t limit) {
  const std::string text = TRY(sys::read_file_at(root, path, limit));
  return oci::parse_json(text, limit);
}

Result<> check_version(const JsonView& view) {
  if (TRY(view.integer_or_zero("version")) == kVersion) return {};
  return view.refuse("a version that this berth does not know");
}

// What was read has to be what a container could have had, as nothing else checks it.
Result<> check_record(const JsonView& view, const store::ContainerRecord& record, std::string_view id) {
  if (record.id != id) return view.refuse("the record of another container");
  TRY(check_name(record.name));
  for (const std::string* map : {&record.uid_map, &record.gid_map}) {
    if (!map->empty()) TRY(idmap::IdMap::parse(*map));
  }
  return {};
}

Result<std::vector<HeldBank>> held_banks_of(store::Database& db, const std::string& id) {
  std::vector<Bank> banks = TRY(ledger::banks_of(db, {"container", id}));
  const std::vector<Bank> used = TRY(ledger::banks_used_by(db, id));
  banks.insert(banks.end(), used.begin(), used.end());
  std::vector<HeldBank> held;
  for (const Bank bank : banks) {
    const std::optional<ledger::BankRecord> record = TRY(ledger::find_bank(db, bank));
    if (record && record->owner) held.push_back({bank, *record->owner, record->since});
  }
  return held;
}

Result<Json> projects_json(store::Database& db) {
  Json projects = Json::array();
  for (const ledger::Project& project : TRY(ledger::list_projects(db))) {
    projects.push_back({{"name", project.name},
                        {"number", project.number},
                        {"created_at", project.created_at},
                        {"policy", project.policy},
                        {"quota", project.quota ? Json(*project.quota) : Json(nullptr)},
                        {"labels", project.labels},
                        {"annotations", project.annotations}});
  }
  return projects;
}

Result<Json> resting_json(store::Database& db) {
  Json numbers = Json::array();
  for (const ledger::RestingNumber& resting : TRY(ledger::resting_numbers(db))) {
    numbers.push_back(
        {{"number", resting.number}, {"freed_at", resting.freed_at}, {"project", resting.project}});
  }
  return numbers;
}

Result<Json> networks_json(store::Database& db) {
  Json networks = Json::array();
  for (const ledger::Network& network : TRY(ledger::list_networks(db))) {
    Json subnets = Json::array();
    for (const ledger::NetworkSubnet& subnet : network.subnets) {
      subnets.push_back({{"subnet", subnet.subnet.text()},
                         {"gateway", subnet.gateway.text()},
                         {"range_first", subnet.range_first.text()},
                         {"range_last", subnet.range_last.text()}});
    }
    networks.push_back({{"id", network.id},
                        {"project", network.project},
                        {"name", network.name},
                        {"bridge", network.bridge},
                        {"created_at", network.created_at},
                        {"internal", network.internal},
                        {"dns", network.dns},
                        {"mtu", network.mtu},
                        {"labels", network.labels},
                        {"subnets", std::move(subnets)}});
  }
  return networks;
}

// A JSON object of strings, as text.
Result<std::string> parse_pairs(const JsonView& view, std::string_view key) {
  std::string text = TRY(view.string_or_empty(key));
  const Json document = TRY(oci::parse_json(text, kLargestStoreCopy));
  TRY(JsonView(document, view.place() + "." + std::string(key)).string_map());
  return text;
}

Result<uint32_t> parse_project_number(const JsonView& view) {
  const int64_t number = TRY(view.integer_or_zero("number"));
  if (number >= 0 && number < ledger::kProjectNumbers) return static_cast<uint32_t>(number);
  return view.refuse("a number that no project can have");
}

Result<ledger::RestingNumber> parse_resting(const JsonView& view) {
  return ledger::RestingNumber{TRY(parse_project_number(view)), TRY(view.integer_or_zero("freed_at")),
                               TRY(view.string_or_empty("project"))};
}

Result<ledger::Project> parse_project(const JsonView& view) {
  ledger::Project project{.name = TRY(view.string_or_empty("name")),
                          .number = TRY(parse_project_number(view)),
                          .created_at = TRY(view.integer_or_zero("created_at")),
                          .policy = TRY(view.string_or_empty("policy")),
                          .quota = std::nullopt,
                          .labels = TRY(parse_pairs(view, "labels")),
                          .annotations = TRY(parse_pairs(view, "annotations"))};
  if (const std::optional<JsonView> quota = TRY(view.find("quota"))) project.quota = TRY(quota->integer());
  return project;
}

Result<net::Address> parse_address(const JsonView& view, std::string_view key) {
  const std::string text = TRY(view.string_or_empty(key));
  if (const auto address = net::Address::parse(text)) return *address;
  return view.refuse(fmt::format("{} is no address", key));
}

Result<ledger::NetworkSubnet> parse_subnet(const JsonView& view) {
  const std::string text = TRY(view.string_or_empty("subnet"));
  const auto subnet = net::Subnet::parse(text);
  if (!subnet) return view.refuse("subnet is none");
  ledger::NetworkSubnet parsed{*subnet, TRY(parse_address(view, "gateway")),
                               TRY(parse_address(view, "range_first")),
                               TRY(parse_address(view, "range_last"))};
  for (const net::Address* address : {&parsed.gateway, &parsed.range_first, &parsed.range_last}) {
    if (!subnet->contains(*address)) return view.refuse("an address is not in the subnet");
  }
  return parsed;
}

Result<ledger::Network> parse_network(const JsonView& view) {
  constexpr int64_t kLargestMtu = 65535;
  ledger::Network network{.id = TRY(view.string_or_empty("id")),
                          .project = TRY(view.string_or_empty("project")),
                          .name = TRY(view.string_or_empty("name")),
                          .bridge = TRY(view.string_or_empty("bridge")),
                          .created_at = TRY(view.integer_or_zero("created_at"))};
  network.internal = TRY(view.boolean_or_false("internal"));
  network.dns = TRY(view.boolean_or_false("dns"));
  network.mtu = static_cast<uint32_t>(std::clamp<int64_t>(TRY(view.integer_or_zero("mtu")), 0, kLargestMtu));
  network.labels = TRY(parse_pairs(view, "labels"));
  TRY(ledger::check_network_name(network.name));
  if (!net::is_interface_name(network.bridge)) return view.refuse("bridge is no name of an interface");
  for (const JsonView& element : TRY(elements_or_none(view, "subnets")))
    network.subnets.push_back(TRY(parse_subnet(element)));
  return network;
}

}  // namespace

Result<> write_container_copy(store::Store& store, const store::ContainerRecord& record) {
  Json banks = Json::array();
  for (const HeldBank& held : TRY(held_banks_of(store.db(), record.id))) banks.push_back(bank_json(held));
  Json ranges = Json::array();
  for (const idmap::IdRange& range : TRY(ledger::ranges_of(store.db(), record.id)))
    ranges.push_back({{"begin", range.begin}, {"end", range.end}});
  const Json document = {{"version", kVersion},
                         {"id", record.id},
                         {"name", record.name},
                         {"image_id", record.image_id},
                         {"image_name", record.image_name},
                         {"created_at", record.created_at},
                         {"spec", record.spec},
                         {"uid_map", record.uid_map},
                         {"gid_map", record.gid_map},
                         {"project", record.project},
                         {"banks", std::move(banks)},
                         {"ranges", std::move(ranges)}};
  const std::string text = document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  TRY_CONTEXT(
      sys::replace_file_at(store.root(), container_file(record.id), text, 0600, sys::Durability::synced),
      "write the copy of the container's record");
  return {};
}

Result<ContainerCopy> read_container_copy(const store::Store& store, std::string_view id) {
  const Json document = TRY(read_document(store.root(), container_file(id), kLargestContainerCopy));
  const JsonView view(document, kContainerCopy);
  TRY(check_version(view));
  ContainerCopy copy;
  copy.record = {.id = TRY(view.string_or_empty("id")),
                 .name = TRY(view.string_or_empty("name")),
                 .image_id = TRY(view.string_or_empty("image_id")),
                 .image_name = TRY(view.string_or_empty("image_name")),
                 .created_at = TRY(view.integer_or_zero("created_at")),
                 .spec = TRY(view.string_or_empty("spec")),
                 .uid_map = TRY(view.string_or_empty("uid_map")),
                 .gid_map = TRY(view.string_or_empty("gid_map")),
                 .project = TRY(view.string_or_empty("project"))};
  TRY(check_record(view, copy.record, id));
  copy.banks = TRY(parse_banks(view));
  for (const JsonView& element : TRY(elements_or_none(view, "ranges"))) {
    const int64_t begin = TRY(element.integer_or_zero("begin"));
    const int64_t end = TRY(element.integer_or_zero("end"));
    if (begin < 0 || end <= begin || end > static_cast<int64_t>(idmap::kLastId) + 1)
      return element.refuse("not a range of IDs");
    copy.ranges.push_back({static_cast<uint64_t>(begin), static_cast<uint64_t>(end)});
  }
  return copy;
}

Result<> write_store_copy(store::Store& store) {
  Json banks = Json::array();
  for (const ledger::BankRecord& record : TRY(ledger::held_banks(store.db()))) {
    if (record.owner && record.owner->kind != "container")
      banks.push_back(bank_json({record.bank, *record.owner, record.since}));
  }
  const Json document = {{"version", kVersion},
                         {"banks", std::move(banks)},
                         {"projects", TRY(projects_json(store.db()))},
                         {"resting_numbers", TRY(resting_json(store.db()))},
                         {"networks", TRY(networks_json(store.db()))}};
  const std::string text = document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  TRY_CONTEXT(sys::replace_file_at(store.root(), kStoreFile, text, 0600, sys::Durability::synced),
              "write the copy of the names of banks");
  return {};
}

Result<StoreCopy> read_store_copy(const store::Store& store) {
  const Json document = TRY(read_document(store.root(), kStoreFile, kLargestStoreCopy));
  const JsonView view(document, kStoreFile);
  TRY(check_version(view));
  StoreCopy copy{TRY(parse_banks(view)), {}, {}, {}};
  for (const JsonView& element : TRY(elements_or_none(view, "projects")))
    copy.projects.push_back(TRY(parse_project(element)));
  for (const JsonView& element : TRY(elements_or_none(view, "resting_numbers")))
    copy.resting.push_back(TRY(parse_resting(element)));
  for (const JsonView& element : TRY(elements_or_none(view, "networks")))
    copy.networks.push_back(TRY(parse_network(element)));
  return copy;
}

}  // namespace berth::engine
